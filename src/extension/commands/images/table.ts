/** The commands on images, in the order of package.json. */
import type { Command } from '../desk.ts';
import { compare, layers } from './contents.ts';
import { COPY } from './copy.ts';
import { history, inspect } from './inspect.ts';
import { prune } from './prune.ts';
import { pull, push } from './pull.ts';
import { remove } from './remove.ts';
import { run, runInteractive } from './run.ts';
import { load, save } from './save.ts';
import { tag } from './tag.ts';

export const IMAGE_COMMANDS: readonly Command[] = [
  run,
  runInteractive,
  pull,
  push,
  tag,
  inspect,
  history,
  layers,
  compare,
  ...COPY,
  save,
  load,
  remove,
  prune,
];

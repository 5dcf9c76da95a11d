/** The commands on volumes, in the order of package.json. */
import type { Command } from '../desk.ts';
import { copyName, copyPath, inspect, users } from './look.ts';
import { create, prune, remove } from './manage.ts';

export const VOLUME_COMMANDS: readonly Command[] = [
  create,
  inspect,
  users,
  copyName,
  copyPath,
  remove,
  prune,
];

/** The commands of the trees as such, in the order of package.json. */
import type { Command } from '../desk.ts';
import { TREES } from '../../views/arrangement.ts';
import { arranging } from './arrange.ts';
import { openRow } from './open.ts';
import { copyPort, openPort } from './ports.ts';

export const VIEW_COMMANDS: readonly Command[] = [
  ...TREES.flatMap(arranging),
  openPort,
  copyPort,
  openRow,
];

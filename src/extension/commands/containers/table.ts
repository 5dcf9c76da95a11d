/** The commands on containers, in the order of package.json. */
import type { Command } from '../desk.ts';
import { browse } from './browse.ts';
import { commit } from './commit.ts';
import { COPY } from './copy.ts';
import { exportFiles } from './export.ts';
import { inspect, processes, refreshProcesses } from './inspect.ts';
import { kill } from './kill.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { logs, stats } from './logs.ts';
import { prune } from './prune.ts';
import { remove } from './remove.ts';
import { rename } from './rename.ts';
import { attach, shell } from './terminals.ts';

export const CONTAINER_COMMANDS: readonly Command[] = [
  ...LIFECYCLE,
  kill,
  logs,
  shell,
  attach,
  stats,
  processes,
  refreshProcesses,
  inspect,
  browse,
  ...COPY,
  rename,
  commit,
  exportFiles,
  remove,
  prune,
];

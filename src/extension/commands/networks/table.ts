/** The commands on networks, in the order of package.json. */
import type { Command } from '../desk.ts';
import { connect, disconnect } from './connect.ts';
import { copyId, copyName, inspect, users } from './look.ts';
import { create, prune, remove } from './manage.ts';

export const NETWORK_COMMANDS: readonly Command[] = [
  create,
  inspect,
  users,
  connect,
  disconnect,
  copyName,
  copyId,
  remove,
  prune,
];

/** The commands on registries, in the order of package.json. */
import type { Command } from '../desk.ts';
import { add, addRepository, more, refresh, remove, removeRepository } from './list.ts';
import { dockerLogins, signIn, signOut } from './sign-in.ts';
import { copyDigest, copyReference, openInBrowser, remove as deleteTag } from './tags.ts';

export const REGISTRY_COMMANDS: readonly Command[] = [
  add,
  signIn,
  signOut,
  dockerLogins,
  addRepository,
  refresh,
  more,
  openInBrowser,
  remove,
  removeRepository,
  copyReference,
  copyDigest,
  deleteTag,
];

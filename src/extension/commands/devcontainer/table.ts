/** The commands of dev containers, in the order of package.json. */
import type { Command } from '../desk.ts';
import { devcontainerAddConfiguration } from './add-configuration.ts';
import { devcontainerAttach } from './attach.ts';
import { devcontainerOpenFolder } from './open-folder.ts';
import { devcontainerRemove } from './remove.ts';
import {
  devcontainerRebuild,
  devcontainerRebuildWithoutCache,
  devcontainerReopen,
} from './reopen.ts';
import { devcontainerReopenLocally } from './reopen-locally.ts';
import { devcontainerShowLog } from './show-log.ts';
import { devcontainerStop } from './stop.ts';

export const DEVCONTAINER_COMMANDS: readonly Command[] = [
  devcontainerReopen,
  devcontainerOpenFolder,
  devcontainerAttach,
  devcontainerRebuild,
  devcontainerRebuildWithoutCache,
  devcontainerReopenLocally,
  devcontainerShowLog,
  devcontainerAddConfiguration,
  devcontainerStop,
  devcontainerRemove,
];

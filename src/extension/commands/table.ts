/** The one table of the extension's commands: those of each area, in the order of the manifest. */
import { BUILD_COMMANDS } from './build/table.ts';
import { CONTAINER_COMMANDS } from './containers/table.ts';
import { IMAGE_COMMANDS } from './images/table.ts';
import { VOLUME_COMMANDS } from './volumes/table.ts';
import { NETWORK_COMMANDS } from './networks/table.ts';
import type { Command } from './desk.ts';
import { DEVCONTAINER_COMMANDS } from './devcontainer/table.ts';
import { ENGINE_COMMANDS } from './engine/table.ts';
import { VIEW_COMMANDS } from './views/table.ts';
import { FILE_COMMANDS } from './files/table.ts';
import { REGISTRY_COMMANDS } from './registries/table.ts';

export const COMMANDS: readonly Command[] = [
  ...ENGINE_COMMANDS,
  ...VIEW_COMMANDS,
  ...CONTAINER_COMMANDS,
  ...IMAGE_COMMANDS,
  ...VOLUME_COMMANDS,
  ...NETWORK_COMMANDS,
  ...BUILD_COMMANDS,
  ...DEVCONTAINER_COMMANDS,
  ...FILE_COMMANDS,
  ...REGISTRY_COMMANDS,
];

/** The one table of the extension's commands: those of each area, in the order of the manifest. */
import type { Command } from './desk.ts';
import { ENGINE_COMMANDS } from './engine/table.ts';

export const COMMANDS: readonly Command[] = [...ENGINE_COMMANDS];

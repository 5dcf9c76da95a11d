/** The one table of the extension's commands. */
import type { Command } from './desk.ts';
import { doctor } from './doctor.ts';
import { engineStart } from './engine-start.ts';
import { engineStop } from './engine-stop.ts';

export const COMMANDS: readonly Command[] = [engineStart, engineStop, doctor];

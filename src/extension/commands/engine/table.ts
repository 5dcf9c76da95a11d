/** The commands of this area, in the order of the manifest. */
import type { Command } from '../desk.ts';
import { engineAdd } from './add.ts';
import { engineChoose } from './choose.ts';
import { engineCopyAddress } from './copy-address.ts';
import { doctor } from './doctor.ts';
import { showLog } from './log.ts';
import { engineMenu } from './menu.ts';
import { engineRefresh } from './refresh.ts';
import { engineRemove } from './remove.ts';
import { engineSettings } from './settings.ts';
import { engineStart } from './start.ts';
import { engineStop } from './stop.ts';

export const ENGINE_COMMANDS: readonly Command[] = [
  engineStart,
  engineStop,
  doctor,
  engineChoose,
  engineAdd,
  engineRemove,
  engineRefresh,
  engineCopyAddress,
  engineMenu,
  engineSettings,
  showLog,
];

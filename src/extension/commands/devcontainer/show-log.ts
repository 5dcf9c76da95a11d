/** `pinnace.devcontainer.showLog`: shows what building, starting and opening said. */
import { hostOf } from '../../devcontainer/host.ts';
import type { Command } from '../desk.ts';

export const devcontainerShowLog: Command = {
  id: 'pinnace.devcontainer.showLog',
  title: 'Show Container Log',
  icon: '$(output)',
  run: async (desk) => {
    (await hostOf(desk)).log.show();
  },
};

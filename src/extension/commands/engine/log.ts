/** `pinnace.showLog`: the output channel. */
import type { Command } from '../desk.ts';

export const showLog: Command = {
  id: 'pinnace.showLog',
  title: 'Show Log',
  icon: '$(output)',
  run: async (desk) => {
    await desk.execute('pinnace.page.log');
  },
};

/** `pinnace.engine.settings`: the settings of this extension. */
import type { Command } from '../desk.ts';

export const engineSettings: Command = {
  id: 'pinnace.engine.settings',
  title: 'Open Settings',
  icon: '$(gear)',
  run: async (desk) => {
    await desk.execute('workbench.action.openSettings', '@ext:pinnace.pinnace');
  },
};

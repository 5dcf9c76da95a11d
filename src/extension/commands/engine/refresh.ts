/** `pinnace.engine.refresh`: looks for engines again, and at each. */
import type { Command } from '../desk.ts';

export const engineRefresh: Command = {
  id: 'pinnace.engine.refresh',
  title: 'Refresh Engines',
  icon: '$(refresh)',
  run: async (desk) => {
    await desk.engines.refresh();
  },
};

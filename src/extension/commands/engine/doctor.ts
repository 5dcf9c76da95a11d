/** `pinnace.doctor`: the page that shows what this machine allows the engine, and the remedy for each missing piece. */
import type { Command } from '../desk.ts';

export const doctor: Command = {
  id: 'pinnace.doctor',
  title: 'Doctor: Check This Machine',
  icon: '$(pulse)',
  run: async (desk) => {
    await desk.execute('pinnace.page.doctor');
  },
};

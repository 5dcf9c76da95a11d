/** `pinnace.engine.stop`: ends the bundled engine; its containers go on. */
import type { Command } from '../desk.ts';

export const engineStop: Command = {
  id: 'pinnace.engine.stop',
  title: 'Stop Engine',
  icon: '$(debug-stop)',
  run: async (desk) => {
    await desk.progress('Stopping the Pinnace engine', (signal) => desk.engines.stop(signal));
    const running = [...desk.live.all('container').values()].some(
      ({ State }) => State === 'running',
    );
    if (running && desk.engines.active.entry.id === 'pinnace')
      await desk.inform('The Pinnace engine has stopped. Its containers go on.');
  },
};

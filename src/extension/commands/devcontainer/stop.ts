/** `pinnace.devcontainer.stop`: stops dev containers; they are started again by opening them. */
import type { Command } from '../desk.ts';
import { devContainerOf } from './folders.ts';

export const devcontainerStop: Command = {
  id: 'pinnace.devcontainer.stop',
  title: 'Stop Dev Container',
  icon: '$(debug-stop)',
  run: async (desk, targets) => {
    const chosen = await devContainerOf(desk, targets, {
      title: 'Stop Which Dev Container?',
      accept: ({ State }) => State === 'running',
      none: 'no dev container is running',
    });
    if (chosen.length === 0) return;
    await desk.progress('Stopping the dev container', async (signal) => {
      const { client } = await desk.engines.ready(signal);
      await Promise.all(chosen.map(({ id }) => client.containers.stop(id, { signal })));
    });
  },
};

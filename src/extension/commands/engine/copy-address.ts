/** `pinnace.engine.copyAddress`: the address for DOCKER_HOST, so that any Docker client finds the engine. */
import type { Command } from '../desk.ts';

export const engineCopyAddress: Command = {
  id: 'pinnace.engine.copyAddress',
  title: 'Copy Engine Address',
  icon: '$(copy)',
  run: async (desk, targets) => {
    const [target] = targets;
    const id = target?.kind === 'engine' ? target.id : desk.engines.active.entry.id;
    const engine = desk.engines.all.find(({ entry }) => entry.id === id) ?? desk.engines.active;
    await desk.copy(engine.entry.address);
  },
};

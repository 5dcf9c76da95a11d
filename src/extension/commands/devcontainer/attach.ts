/** `pinnace.devcontainer.attach`: opens a window inside any running container. */
import { EngineError } from '../../../lib/errors.ts';
import { openContainer } from '../../devcontainer/open.ts';
import type { Command } from '../desk.ts';

export const devcontainerAttach: Command = {
  id: 'pinnace.devcontainer.attach',
  title: 'Attach to Container…',
  icon: '$(vm-connect)',
  run: async (desk, targets) => {
    const target = targets[0];
    if (target?.kind === 'container' || target?.kind === 'devcontainer') {
      await openContainer(desk, target.id);
      return;
    }
    const { client } = await desk.engines.ready();
    const running = await client.containers.list();
    if (running.length === 0) throw new EngineError('conflict', 'no container is running');
    const picked = await desk.pick(
      'Attach to Which Container?',
      running.map(({ Id, Names, Image, Status }) => ({
        label: (Names[0] ?? Id.slice(0, 12)).replace(/^\//, ''),
        description: Image,
        detail: Status,
        value: Id,
      })),
    );
    if (picked !== undefined) await openContainer(desk, picked);
  },
};

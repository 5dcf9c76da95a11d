/** `pinnace.devcontainer.remove`: removes dev containers; their folders stay. */
import { forgetBridge } from '../../../client/devcontainer/bridge.ts';
import { hostOf } from '../../devcontainer/host.ts';
import { runRootOf } from '../../devcontainer/open.ts';
import type { Command } from '../desk.ts';
import { devContainerOf } from './folders.ts';

export const devcontainerRemove: Command = {
  id: 'pinnace.devcontainer.remove',
  title: 'Remove Dev Container…',
  icon: '$(trash)',
  run: async (desk, targets) => {
    const chosen = await devContainerOf(desk, targets, {
      title: 'Remove Which Dev Container?',
      none: 'there are no dev containers',
    });
    if (chosen.length === 0) return;
    const names = chosen.map(({ folder }) => folder).join(', ');
    const sure = await desk.confirm({
      message:
        chosen.length === 1
          ? `Remove the dev container of ${names}?`
          : `Remove ${chosen.length} dev containers?`,
      detail: `${chosen.length === 1 ? '' : `${names}. `}What was installed or written inside, outside the folder, is lost. The folder stays as it is.`,
      action: 'Remove',
    });
    if (!sure) return;
    const host = await hostOf(desk);
    await desk.progress('Removing the dev container', async (signal) => {
      const { client } = await desk.engines.ready(signal);
      for (const { id } of chosen) {
        host.unwatchPorts(id);
        forgetBridge(runRootOf(host), id);
        await client.containers.remove(id, { force: true, volumes: true, signal });
      }
    });
  },
};

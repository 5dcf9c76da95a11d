/** `pinnace.devcontainer.reopenLocally`: leaves the container and opens its folder on this machine; the container goes on. */
import { LOCAL_FOLDER } from '../../../lib/devcontainer/labels.ts';
import { endBridge } from '../../../client/devcontainer/bridge.ts';
import { hostOf } from '../../devcontainer/host.ts';
import { runRootOf } from '../../devcontainer/open.ts';
import { AUTHORITY_PREFIX } from '../../resolver/authority.ts';
import type { Command } from '../desk.ts';
import { devContainerOf } from './folders.ts';

export const devcontainerReopenLocally: Command = {
  id: 'pinnace.devcontainer.reopenLocally',
  title: 'Reopen Locally',
  icon: '$(close)',
  run: async (desk, targets) => {
    const host = await hostOf(desk);
    const open = desk.folders().map(({ path }) => path);
    const [chosen] = await devContainerOf(desk, targets, {
      title: 'Leave Which Dev Container?',
      accept: ({ State, Labels }) =>
        State === 'running' && (open.length !== 1 || Labels[LOCAL_FOLDER] === open[0]),
      none: 'no dev container of this folder is running',
    });
    if (chosen === undefined) return;
    host.unwatchPorts(chosen.id);
    endBridge(runRootOf(host), chosen.id);
    const within = host.remoteName === AUTHORITY_PREFIX;
    if (within || !open.includes(chosen.folder)) await host.openLocal(chosen.folder);
    else
      await desk.inform(
        `${chosen.folder} is open here; its window in the container is disconnected.`,
      );
  },
};

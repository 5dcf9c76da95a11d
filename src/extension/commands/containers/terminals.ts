/** `pinnace.container.shell` and `pinnace.container.attach`: terminals whose other end is a shell in the container, or its own program. */
import { EngineError } from '../../../lib/errors.ts';
import { attachSession } from '../../shell/attach.ts';
import { openShell } from '../../shell/open.ts';
import type { Command } from '../desk.ts';
import { chooseMany, CONTAINERS } from '../targets.ts';

export const shell: Command = {
  id: 'pinnace.container.shell',
  title: 'Open Shell',
  category: 'Pinnace Containers',
  icon: '$(terminal)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, CONTAINERS, targets, {
      title: 'Open a shell in which containers?',
      accept: ({ summary }) => summary.State === 'running',
      none: 'A shell needs a running container: start it first.',
    });
    for (const node of nodes ?? []) await openShell(desk, node);
  },
};

export const attach: Command = {
  id: 'pinnace.container.attach',
  title: 'Attach Terminal',
  category: 'Pinnace Containers',
  icon: '$(debug-console)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, CONTAINERS, targets, {
      title: 'Attach a terminal to which containers?',
      accept: ({ summary }) => summary.State === 'running',
      none: 'Attaching needs a running container: start it first.',
    });
    if (nodes === undefined) return;
    const { client } = await desk.engines.ready();
    for (const node of nodes) {
      const { State, Config } = await client.containers.inspect(node.id);
      if (!State.Running) throw new EngineError('conflict', `${node.name} is not running.`);
      desk.terminal(
        attachSession(client, {
          id: node.id,
          name: node.name,
          tty: Config.Tty === true,
          stdin: Config.OpenStdin === true,
        }),
      );
    }
  },
};

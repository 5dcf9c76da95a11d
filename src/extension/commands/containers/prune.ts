/** `pinnace.container.prune`: removes all stopped containers after saying which, and tells the space that came free. */
import { EngineError } from '../../../lib/errors.ts';
import { sizeText } from '../../../lib/text/amounts.ts';
import type { Command } from '../desk.ts';
import { count, named } from '../each.ts';
import { confirmRemoval } from '../removal.ts';
import { CONTAINERS } from '../targets.ts';
import { isUp } from './lifecycle.ts';

export const prune: Command = {
  id: 'pinnace.container.prune',
  title: 'Remove Stopped…',
  category: 'Pinnace Containers',
  icon: '$(clear-all)',
  run: async (desk) => {
    const { client } = await desk.engines.ready();
    const stopped = (await CONTAINERS.list(client)).filter((node) => !isUp(node.summary.State));
    if (stopped.length === 0) throw new EngineError('conflict', 'No container is stopped.');
    const which = named(stopped, 'stopped container', (node) => node.name);
    if (!(await confirmRemoval(desk, which))) return;
    const answer = await desk.progress('Removing stopped containers', () =>
      client.containers.prune(),
    );
    const removed = count((answer.ContainersDeleted ?? []).length, 'container');
    await desk.inform(`Removed ${removed}; ${sizeText(answer.SpaceReclaimed)} came free.`);
  },
};

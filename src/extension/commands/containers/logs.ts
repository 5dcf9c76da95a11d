/** `pinnace.container.logs` and `pinnace.container.stats`: open the panels that show what a container says and uses. */
import { EngineError } from '../../../lib/errors.ts';
import type { Command } from '../desk.ts';
import { chooseMany, CONTAINERS } from '../targets.ts';

/** Commands of the panels themselves; they take `PanelTarget[]` and are not in package.json. */
export const OPEN_LOGS = '_pinnace.logs.open';
export const OPEN_STATS = '_pinnace.stats.open';

export interface PanelTarget {
  readonly id: string;
  readonly name: string;
}

export const logs: Command = {
  id: 'pinnace.container.logs',
  title: 'Show Logs',
  category: 'Pinnace Containers',
  icon: '$(output)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, CONTAINERS, targets, {
      title: 'Show the logs of which containers?',
      none: 'There is no container.',
    });
    // A panel for each: lines of several containers have no order that could be trusted.
    for (const { id, name } of nodes ?? []) await desk.execute(OPEN_LOGS, [{ id, name }]);
  },
};

export const stats: Command = {
  id: 'pinnace.container.stats',
  title: 'Show Stats',
  category: 'Pinnace Containers',
  icon: '$(graph-line)',
  run: async (desk, targets) => {
    const engine = await desk.engines.ready();
    if (!engine.has('stats')) throw new EngineError('not-implemented', engine.lacks('stats'));
    const nodes = await chooseMany(desk, CONTAINERS, targets, {
      title: 'Show the stats of which containers?',
      accept: ({ summary }) => summary.State === 'running' || summary.State === 'paused',
      none: 'No container is running.',
    });
    if (nodes === undefined) return;
    await desk.execute(
      OPEN_STATS,
      nodes.map(({ id, name }) => ({ id, name })),
    );
  },
};

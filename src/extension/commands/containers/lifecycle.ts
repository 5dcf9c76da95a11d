/** Starting, stopping, restarting, pausing and going on: the actions that change a container's state and lose nothing. */
import type { Client } from '../../../client/api/client.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { ContainerNode } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';
import { forEach } from '../each.ts';
import { chooseMany, CONTAINERS } from '../targets.ts';

interface Verb {
  readonly id: string;
  readonly title: string;
  readonly icon: string;
  readonly doing: string;
  readonly verb: string;
  readonly accept: (state: string) => boolean;
  readonly none: string;
  readonly pauses?: boolean;
  readonly run: (client: Client, id: string, signal: AbortSignal) => Promise<unknown>;
}

/** Whether processes run in a container of this state. */
export function isUp(state: string): boolean {
  return state === 'running' || state === 'restarting' || state === 'paused';
}

const VERBS: readonly Verb[] = [
  {
    id: 'start',
    title: 'Start',
    icon: '$(play)',
    doing: 'Starting',
    verb: 'start',
    accept: (state) => !isUp(state) && state !== 'removing',
    none: 'No container is stopped.',
    run: (client, id, signal) => client.containers.start(id, { signal }),
  },
  {
    id: 'stop',
    title: 'Stop',
    icon: '$(debug-stop)',
    doing: 'Stopping',
    verb: 'stop',
    accept: isUp,
    none: 'No container is running.',
    run: (client, id, signal) => client.containers.stop(id, { signal }),
  },
  {
    id: 'restart',
    title: 'Restart',
    icon: '$(debug-restart)',
    doing: 'Restarting',
    verb: 'restart',
    accept: (state) => state !== 'removing' && state !== 'dead',
    none: 'There is no container to restart.',
    run: (client, id, signal) => client.containers.restart(id, { signal }),
  },
  {
    id: 'pause',
    title: 'Pause',
    icon: '$(debug-pause)',
    doing: 'Pausing',
    verb: 'pause',
    accept: (state) => state === 'running',
    none: 'No container is running.',
    pauses: true,
    run: (client, id) => client.containers.pause(id),
  },
  {
    id: 'unpause',
    title: 'Unpause',
    icon: '$(debug-continue)',
    doing: 'Unpausing',
    verb: 'unpause',
    accept: (state) => state === 'paused',
    none: 'No container is paused.',
    pauses: true,
    run: (client, id) => client.containers.unpause(id),
  },
];

export const LIFECYCLE: readonly Command[] = VERBS.map((verb) => ({
  id: `pinnace.container.${verb.id}`,
  title: verb.title,
  category: 'Pinnace Containers',
  icon: verb.icon,
  run: async (desk, targets) => {
    const { client } = await ready(desk, { pauses: verb.pauses === true });
    const nodes = await chooseMany(desk, CONTAINERS, targets, {
      title: `${verb.title} which containers?`,
      accept: (node: ContainerNode) => verb.accept(node.summary.State),
      none: verb.none,
    });
    if (nodes === undefined) return;
    await forEach(desk, {
      doing: verb.doing,
      verb: verb.verb,
      one: 'container',
      items: nodes,
      name: (node) => node.name,
      run: (node, signal) => verb.run(client, node.id, signal),
    });
  },
}));

async function ready(
  desk: Parameters<Command['run']>[0],
  { pauses }: { readonly pauses: boolean },
): Promise<{ readonly client: Client }> {
  const engine = await desk.engines.ready();
  if (pauses && !engine.has('pause'))
    throw new EngineError('not-implemented', engine.lacks('pause'));
  return engine;
}

/** Puts containers on networks and takes them off. */
import { EngineError } from '../../../lib/errors.ts';
import { isOn, networkModeOf } from '../../views/containers/facts.ts';
import type { NetworkNode } from '../../views/nodes.ts';
import type { Command, Desk } from '../desk.ts';
import { forEach } from '../each.ts';
import { chooseOne, CONTAINERS, NETWORKS } from '../targets.ts';

/** Nobody joins or leaves these: they are no networks of their own. */
function isSpecial({ name }: NetworkNode): boolean {
  return name === 'host' || name === 'none';
}

function choose(
  desk: Desk,
  targets: Parameters<Command['run']>[1],
  title: string,
): Promise<NetworkNode | undefined> {
  return chooseOne(desk, NETWORKS, targets, {
    title,
    accept: (node) => !isSpecial(node),
    none: 'Containers are on host and none from their creation to their end.',
  });
}

export const connect: Command = {
  id: 'pinnace.network.connect',
  title: 'Connect Container…',
  category: 'Pinnace Networks',
  icon: '$(plug)',
  run: async (desk, targets) => {
    const network = await choose(desk, targets, 'Connect a container to which network?');
    if (network === undefined) return;
    const { client } = await desk.engines.ready();
    const free = (await CONTAINERS.list(client)).filter(
      ({ summary }) =>
        !isOn(summary, network) && !/^(host|none|container:)/.test(networkModeOf(summary)),
    );
    if (free.length === 0)
      throw new EngineError('conflict', `Every container that could be is on ${network.name}.`);
    const picked = await desk.pickMany(
      `Connect which containers to ${network.name}?`,
      free.map(CONTAINERS.item),
    );
    if (picked === undefined || picked.length === 0) return;
    await forEach(desk, {
      doing: `Connecting to ${network.name}:`,
      verb: `connect to ${network.name}:`,
      one: 'container',
      items: picked,
      name: ({ name }) => name,
      run: ({ id }) => client.networks.connect(network.id, id),
    });
    await desk.live.refresh('network');
  },
};

export const disconnect: Command = {
  id: 'pinnace.network.disconnect',
  title: 'Disconnect Container…',
  category: 'Pinnace Networks',
  icon: '$(debug-disconnect)',
  run: async (desk, targets) => {
    const network = await choose(desk, targets, 'Disconnect a container from which network?');
    if (network === undefined) return;
    const { client } = await desk.engines.ready();
    const joined = (await CONTAINERS.list(client)).filter(({ summary }) => isOn(summary, network));
    if (joined.length === 0)
      throw new EngineError('conflict', `No container is on ${network.name}.`);
    const picked = await desk.pickMany(
      `Disconnect which containers from ${network.name}?`,
      joined.map(CONTAINERS.item),
    );
    if (picked === undefined || picked.length === 0) return;
    const running = picked.filter(({ summary }) => summary.State === 'running');
    const confirmed =
      running.length === 0 ||
      (await desk.confirm({
        message: `Disconnect ${running.map(({ name }) => name).join(', ')} from ${network.name}?`,
        detail: 'Open connections through it break.',
        action: 'Disconnect',
      }));
    if (!confirmed) return;
    await forEach(desk, {
      doing: `Disconnecting from ${network.name}:`,
      verb: `disconnect from ${network.name}:`,
      one: 'container',
      items: picked,
      name: ({ name }) => name,
      run: ({ id }) => client.networks.disconnect(network.id, id),
    });
    await desk.live.refresh('network');
  },
};

/** Looking at networks: what the engine knows, and who is on them. */
import type { NetworkInfo } from '../../../lib/api/system.ts';
import { isOn } from '../../views/containers/facts.ts';
import type { Command } from '../desk.ts';
import { chooseMany, chooseOne, CONTAINERS, NETWORKS } from '../targets.ts';

export const inspect: Command = {
  id: 'pinnace.network.inspect',
  title: 'Inspect',
  category: 'Pinnace Networks',
  icon: '$(info)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, NETWORKS, targets, {
      title: 'Inspect which networks?',
      none: 'There is no network.',
    });
    const { client } = await desk.engines.ready();
    for (const { id, name } of nodes ?? []) {
      const text = `${JSON.stringify(await client.networks.inspect(id), null, 2)}\n`;
      await desk.show({ name: `${name}.json`, text, language: 'json' });
    }
  },
};

export const users: Command = {
  id: 'pinnace.network.users',
  title: 'Who Is on It?',
  category: 'Pinnace Networks',
  icon: '$(references)',
  run: async (desk, targets) => {
    const node = await chooseOne(desk, NETWORKS, targets, {
      title: 'Who is on which network?',
      none: 'There is no network.',
    });
    if (node === undefined) return;
    const { client } = await desk.engines.ready();
    const [info, containers] = await Promise.all([
      client.networks.inspect(node.id),
      CONTAINERS.list(client),
    ]);
    // A stopped container is on its networks too, but engines list only those that run.
    const joined = containers.filter(({ summary }) => isOn(summary, node));
    if (joined.length === 0) {
      await desk.inform(`No container is on the network ${node.name}.`);
      return;
    }
    const chosen = await desk.pick(
      `Containers on ${node.name}`,
      joined.map((container) => ({
        label: container.name,
        description: addressesOf(info, container.id),
        detail: container.summary.Status,
        value: container,
      })),
    );
    if (chosen !== undefined) await desk.execute('pinnace.container.inspect', chosen);
  },
};

function addressesOf(info: NetworkInfo, container: string): string {
  const found = (info.Containers as NetworkInfo['Containers'] | null)?.[container];
  if (found === undefined) return 'not running';
  return [found.IPv4Address, found.IPv6Address].filter((text) => text !== '').join(', ');
}

export const copyName: Command = {
  id: 'pinnace.network.copyName',
  title: 'Copy Name',
  category: 'Pinnace Networks',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, NETWORKS, targets, {
      title: 'Copy the names of which networks?',
      none: 'There is no network.',
    });
    if (nodes !== undefined) await desk.copy(nodes.map(({ name }) => name).join('\n'));
  },
};

export const copyId: Command = {
  id: 'pinnace.network.copyId',
  title: 'Copy ID',
  category: 'Pinnace Networks',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, NETWORKS, targets, {
      title: 'Copy the ids of which networks?',
      none: 'There is no network.',
    });
    if (nodes !== undefined) await desk.copy(nodes.map(({ id }) => id).join('\n'));
  },
};

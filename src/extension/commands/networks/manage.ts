/** Making, removing and pruning networks. */
import type { Client } from '../../../client/api/client.ts';
import type { NetworkCreateRequest } from '../../../lib/api/system.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { NetworkNode } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';
import { count, forEach, named } from '../each.ts';
import { confirmRemoval } from '../removal.ts';
import { chooseMany, isPredefined, NETWORKS } from '../targets.ts';

function nameProblem(name: string, taken: ReadonlySet<string>): string | undefined {
  if (taken.has(name)) return `There is a network ${name}`;
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return undefined;
  return 'A name has letters, digits, and after the first _ . and -';
}

/** An IPv4 or IPv6 subnet with its length; the engine judges the rest. */
function subnetProblem(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  return /^(?:\d{1,3}(?:\.\d{1,3}){3}\/(?:[0-9]|[12][0-9]|3[0-2])|[0-9a-f:]+\/(?:\d{1,2}|1[01]\d|12[0-8]))$/i.test(
    text.trim(),
  )
    ? undefined
    : 'A subnet like 10.20.0.0/16 or fd00:1::/64, or nothing';
}

export const create: Command = {
  id: 'pinnace.network.create',
  title: 'Create…',
  category: 'Pinnace Networks',
  icon: '$(add)',
  run: async (desk) => {
    const { client } = await desk.engines.ready();
    const taken = new Set((await NETWORKS.list(client)).map(({ name }) => name));
    const name = await desk.ask({
      title: 'Create Network (1/2)',
      prompt: 'Name of the network',
      check: (text) => nameProblem(text.trim(), taken),
    });
    if (name === undefined) return;
    const subnet = await desk.ask({
      title: 'Create Network (2/2)',
      prompt: 'Subnet; empty lets the engine choose',
      placeholder: '10.20.0.0/16',
      check: subnetProblem,
    });
    if (subnet === undefined) return;
    const kind = await desk.pick<'open' | 'internal'>('Which kind of network?', [
      { label: 'With Internet', description: 'containers reach the outside', value: 'open' },
      { label: 'Internal', description: 'containers reach one another only', value: 'internal' },
    ]);
    if (kind === undefined) return;
    const request: NetworkCreateRequest = {
      Name: name.trim(),
      Driver: 'bridge',
      Internal: kind === 'internal',
      EnableIPv6: subnet.includes(':'),
      ...(subnet.trim() === '' ? {} : { IPAM: { Config: [{ Subnet: subnet.trim() }] } }),
    };
    const { Warning } = await client.networks.create(request);
    // Podman's answer has no such field.
    if (((Warning as string | undefined) ?? '') !== '') await desk.inform(Warning);
  },
};

export const remove: Command = {
  id: 'pinnace.network.remove',
  title: 'Remove…',
  category: 'Pinnace Networks',
  icon: '$(trash)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, NETWORKS, targets, {
      title: 'Remove which networks?',
      accept: (node) => !isPredefined(node),
      none: 'The networks that every engine has cannot be removed.',
    });
    if (nodes === undefined) return;
    const { client } = await desk.engines.ready();
    const which = named(nodes, 'network', ({ name }) => name);
    if (!(await confirmRemoval(desk, which, await membersText(client, nodes)))) return;
    await forEach(desk, {
      doing: 'Removing',
      verb: 'remove',
      one: 'network',
      items: nodes,
      name: ({ name }) => name,
      run: ({ id }) => client.networks.remove(id),
    });
  },
};

async function membersText(client: Client, nodes: readonly NetworkNode[]): Promise<string> {
  const infos = await Promise.all(nodes.map(({ id }) => client.networks.inspect(id)));
  const names = infos.flatMap(({ Containers }) =>
    Object.values((Containers as typeof Containers | null) ?? {}).map(({ Name }) => Name),
  );
  return names.length === 0
    ? ''
    : `On it: ${names.slice(0, 10).join(', ')}. Disconnect them first, or the engine refuses.`;
}

export const prune: Command = {
  id: 'pinnace.network.prune',
  title: 'Remove Unused…',
  category: 'Pinnace Networks',
  icon: '$(clear-all)',
  run: async (desk) => {
    const { client } = await desk.engines.ready();
    const own = (await NETWORKS.list(client)).filter((node) => !isPredefined(node));
    if (own.length === 0)
      throw new EngineError('conflict', 'There are only the networks that every engine has.');
    const confirmed = await desk.confirm({
      message: 'Remove all networks that no container is on?',
      detail: `Looked at: ${own
        .slice(0, 10)
        .map(({ name }) => name)
        .join(', ')}${own.length > 10 ? ' …' : ''}`,
      action: 'Remove',
    });
    if (!confirmed) return;
    const { NetworksDeleted } = await desk.progress('Removing unused networks', () =>
      client.networks.prune(),
    );
    const removed = NetworksDeleted ?? [];
    await desk.inform(
      removed.length === 0
        ? 'Every network is used.'
        : `Removed ${count(removed.length, 'network')}: ${removed.join(', ')}.`,
    );
  },
};

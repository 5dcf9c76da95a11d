/** What networks look like as rows, and which containers are on them. Pure. */
import type { NetworkInfo } from '../../lib/api/system.ts';
import { nameOf, networksOf, type Sent } from './containers/facts.ts';
import { newestFirst } from './containers/model.ts';
import { named } from './images/row.ts';
import type { NetworkNode } from './nodes.ts';
import { clean, escapeMarkdown, naturalKey, plural } from './text.ts';
import type { UsedKind } from './used.ts';
import { table } from './volumes.ts';

function sentNetwork(info: NetworkInfo): Sent<NetworkInfo> {
  return info;
}

/** `10.88.0.0/16`, of each of its ranges. */
function subnetsOf(info: NetworkInfo): readonly string[] {
  const ranges = sentNetwork(info).IPAM?.Config as NetworkInfo['IPAM']['Config'] | null | undefined;
  return (ranges ?? []).flatMap(({ Subnet }) =>
    Subnet === undefined || Subnet === '' ? [] : [clean(Subnet)],
  );
}

/** The networks that every engine has and that nobody may remove. */
const PREDEFINED = new Set(['bridge', 'host', 'none', 'podman']);

function icon({ Driver, Internal }: NetworkInfo): string {
  if (Driver === 'host') return 'vm-connect';
  if (Driver === 'null') return 'circle-slash';
  return Internal ? 'lock' : 'type-hierarchy-sub';
}

export const NETWORKS: UsedKind<'network', NetworkNode> = {
  kind: 'network',
  tree: 'networks',
  node: (info) => ({ kind: 'network', id: info.Id, name: info.Name, info }),
  renew: (node, info) => {
    node.name = info.Name;
    node.info = info;
  },
  // A container that never ran knows the network by its name only.
  keys: ({ id, name }) => [`id ${id}`, `name ${name}`],
  keysOf: (summary) =>
    networksOf(summary).map(({ id, name }) => (id === '' ? `name ${name}` : `id ${id}`)),
  order: ({ name, info }, sort) => {
    const key = naturalKey(name);
    if (sort !== 'created') return key;
    return `${newestFirst(Date.parse(sentNetwork(info).Created ?? '') / 1000)} ${key}`;
  },
  searched: ({ name, id, info }) =>
    [
      name,
      id.slice(0, 12),
      info.Driver,
      ...subnetsOf(info),
      ...Object.entries(sentNetwork(info).Labels ?? {}).flat(),
    ].join('\n'),
  row: (node, users) => {
    const { info } = node;
    const name = clean(node.name);
    const driver = clean(info.Driver);
    const scope = clean(info.Scope);
    const subnets = subnetsOf(info);
    const words = ['network', users.length > 0 ? 'used' : 'unused'];
    if (PREDEFINED.has(node.name)) words.push('predefined');
    if (sentNetwork(info).Internal === true) words.push('internal');
    const facts = [
      driver === name || driver === 'null' ? '' : driver,
      scope === 'local' ? '' : scope,
      subnets.join(', '),
      users.length === 0 ? '' : plural(users.length, 'container'),
    ];
    return {
      id: `network/${node.id}`,
      label: name,
      description: facts.filter((fact) => fact !== '').join(' · '),
      icon: { name: icon(info), ...(users.length > 0 ? { color: 'charts.green' } : {}) },
      context: words.join(' '),
      fold: 'leaf',
      accessible: [
        `network ${name}`,
        `driver ${driver}`,
        ...(subnets.length === 0 ? [] : [`subnet ${subnets.join(', ')}`]),
        users.length === 0 ? 'no containers' : plural(users.length, 'container'),
      ].join(', '),
    };
  },
  hover: ({ name, id, info }, users) => {
    const gateways = (sentNetwork(info).IPAM?.Config ?? []).flatMap(({ Gateway }) => Gateway ?? []);
    const labels = Object.entries(sentNetwork(info).Labels ?? {}).map((pair) => pair.join('='));
    const flags = [
      ...(sentNetwork(info).Internal === true ? ['internal'] : []),
      ...(sentNetwork(info).EnableIPv6 === true ? ['IPv6'] : []),
    ];
    const rows: readonly (readonly [string, string])[] = [
      ['Id', escapeMarkdown(id.slice(0, 12))],
      ['Driver', escapeMarkdown(info.Driver)],
      ['Scope', escapeMarkdown(info.Scope)],
      ['Subnet', named(subnetsOf(info))],
      ['Gateway', named(gateways)],
      ['', flags.join(', ')],
      ['Labels', named(labels)],
      ['Containers', named(users.map(nameOf))],
    ];
    return { markdown: table(name, rows), commands: [] };
  },
};

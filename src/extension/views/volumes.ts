/** What volumes look like as rows, and which containers use them. Pure. */
import type { VolumeInfo } from '../../lib/api/system.ts';
import { mountsOf, nameOf, type Sent } from './containers/facts.ts';
import { newestFirst } from './containers/model.ts';
import { named } from './images/row.ts';
import type { VolumeNode } from './nodes.ts';
import { clean, escapeMarkdown, naturalKey, size } from './text.ts';
import { type UsedKind, usersText } from './used.ts';

/** Engines name a volume that nobody named by 64 hexadecimal digits. */
const ANONYMOUS = /^[0-9a-f]{64}$/;

function sentVolume(info: VolumeInfo): Sent<VolumeInfo> {
  return info;
}

function volumeLabel(name: string): string {
  return ANONYMOUS.test(name) ? name.slice(0, 12) : clean(name);
}

export const VOLUMES: UsedKind<'volume', VolumeNode> = {
  kind: 'volume',
  tree: 'volumes',
  node: (info) => ({ kind: 'volume', name: info.Name, info }),
  renew: (node, info) => void (node.info = info),
  keys: ({ name }) => [name],
  keysOf: (summary) =>
    mountsOf(summary).flatMap(({ type, source }) => (type === 'volume' ? [source] : [])),
  order: ({ name, info }, sort) => {
    // Those without a name of their own come last.
    const key = `${ANONYMOUS.test(name) ? 1 : 0}${naturalKey(name)}`;
    if (sort !== 'created') return key;
    const created = Date.parse(sentVolume(info).CreatedAt ?? '');
    return `${newestFirst(created / 1000)} ${key}`;
  },
  searched: ({ name, info }) =>
    [name, info.Driver, ...Object.entries(info.Labels ?? {}).flat()].join('\n'),
  row: ({ name, info }, users) => {
    const label = volumeLabel(name);
    const bytes = size(info.UsageData?.Size);
    const driver = clean(info.Driver);
    const anonymous = ANONYMOUS.test(name);
    const facts = [driver === 'local' ? '' : driver, bytes, usersText(users)];
    const words = ['volume', users.length > 0 ? 'used' : 'unused'];
    if (anonymous) words.push('anonymous');
    return {
      id: `volume/${name}`,
      label,
      description: facts.filter((fact) => fact !== '').join(' · '),
      icon:
        users.length > 0
          ? { name: 'database', color: 'charts.green' }
          : { name: 'database', ...(anonymous ? { color: 'disabledForeground' } : {}) },
      context: words.join(' '),
      fold: 'leaf',
      accessible: [
        `volume ${anonymous ? `without a name ${label}` : label}`,
        `driver ${driver}`,
        ...(bytes === '' ? [] : [bytes]),
        usersText(users),
      ].join(', '),
    };
  },
  hover: ({ name, info }, users) => {
    const labels = Object.entries(info.Labels ?? {}).map(([key, value]) => `${key}=${value}`);
    const rows: readonly (readonly [string, string])[] = [
      ['Driver', escapeMarkdown(info.Driver)],
      ['Size', escapeMarkdown(size(info.UsageData?.Size))],
      ['Folder', escapeMarkdown(info.Mountpoint)],
      ['Created', escapeMarkdown(sentVolume(info).CreatedAt)],
      ['Labels', named(labels)],
      ['Used by', named(users.map(nameOf))],
    ];
    return { markdown: table(name, rows), commands: [] };
  },
};

/** A heading and a table of two columns; rows without text are left out. The texts are markdown, the heading is not. */
export function table(heading: string, rows: readonly (readonly [string, string])[]): string {
  return [
    `**${escapeMarkdown(heading)}**`,
    '',
    '| | |',
    '|:--|:--|',
    ...rows.flatMap(([name, text]) => (text === '' ? [] : [`| ${name} | ${text} |`])),
    '',
  ].join('\n');
}

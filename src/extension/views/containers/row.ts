/** What containers, their ports and their headings look like as rows, and what is told of them beside the pointer. Pure. */
import type { ContainerSummary } from '../../../lib/api/containers.ts';
import type { ContainerNode, GroupNode, PortNode } from '../nodes.ts';
import type { Hover, Row, RowIcon } from '../row.ts';
import { clean, commandLink, escapeMarkdown, plural, shortId } from '../text.ts';
import {
  exitCodeOf,
  healthOf,
  isEveryAddress,
  mountsOf,
  networksOf,
  type Port,
  portsOf,
  projectOf,
  sent,
  stateOf,
} from './facts.ts';

/** Runs the browser for a port; its argument is a `PortTarget`. */
export const OPEN_PORT = 'pinnace.port.open';

export interface PortTarget {
  readonly container: string;
  readonly port: number;
  readonly protocol: string;
}

/** Exit codes of a program that was told to end: 0, and by SIGINT, SIGKILL, SIGTERM. */
const ORDINARY = new Set([0, 130, 137, 143]);

/** Shapes differ as well as colours. */
export function containerIcon(summary: ContainerSummary): RowIcon {
  switch (stateOf(summary)) {
    case 'running':
      return RUNNING[healthOf(summary)];
    case 'paused':
      return { name: 'debug-pause', color: 'charts.yellow' };
    case 'restarting':
      return { name: 'sync', color: 'charts.yellow' };
    case 'removing':
      return { name: 'trash' };
    case 'dead':
      return { name: 'circle-slash', color: 'charts.red' };
    case 'exited':
      return ORDINARY.has(exitCodeOf(summary) ?? 0)
        ? { name: 'debug-stop', color: 'disabledForeground' }
        : { name: 'error', color: 'charts.red' };
    case 'created':
      return { name: 'circle-large-outline', color: 'disabledForeground' };
  }
}

const RUNNING: Readonly<Record<ReturnType<typeof healthOf>, RowIcon>> = {
  none: { name: 'play-circle', color: 'charts.green' },
  starting: { name: 'play-circle', color: 'charts.yellow' },
  healthy: { name: 'pass', color: 'charts.green' },
  unhealthy: { name: 'warning', color: 'problemsWarningIcon.foreground' },
};

export interface ContainerFace {
  /** `Up 3 minutes (healthy)`, as of now. */
  readonly status: string;
  /** Whether there are rows beneath it. */
  readonly foldable: boolean;
}

export function containerRow(node: ContainerNode, { status, foldable }: ContainerFace): Row {
  const { summary, within } = node;
  const image = imageOf(summary);
  const said = clean(status) === '' ? stateOf(summary) : clean(status);
  const name = clean(node.name);
  const ports = portsOf(summary).filter(({ published }) => published !== undefined);
  const words = ['container', stateOf(summary)];
  const health = healthOf(summary);
  if (health !== 'none') words.push(health);
  if (ports.length > 0) words.push('ports');
  if (projectOf(summary) !== undefined) words.push('compose');
  if (within !== undefined) words.push('member', `of-${within.kind}`);
  return {
    id:
      within === undefined
        ? `container/${node.id}`
        : `${within.kind}/${within.id}/container/${node.id}`,
    label: name,
    description: [...(image === '' ? [] : [image]), said].join(' · '),
    icon: containerIcon(summary),
    context: words.join(' '),
    fold: foldable ? 'closed' : 'leaf',
    accessible: [
      `container ${name}`,
      said,
      ...(image === '' ? [] : [`image ${image}`]),
      ...(ports.length === 0 ? [] : [`ports ${ports.map(portText).join(', ')}`]),
    ].join(', '),
  };
}

/** The image as it was asked for; ids are cut, and `latest` goes without saying. */
function imageOf(summary: ContainerSummary): string {
  const image = clean(sent(summary).Image);
  return /^(sha256:)?[0-9a-f]{64}$/.test(image) ? shortId(image) : image.replace(/:latest$/, '');
}

/** `8080 → 80`, `127.0.0.1:8080 → 80/udp`, `80`. */
export function portText({ port, protocol, published }: Port): string {
  const inside = protocol === 'tcp' ? String(port) : `${port}/${protocol}`;
  if (published === undefined) return inside;
  const { address } = published;
  const host = isEveryAddress(address)
    ? ''
    : `${address.includes(':') ? `[${clean(address)}]` : clean(address)}:`;
  return `${host}${published.port} → ${inside}`;
}

export function portRow(node: PortNode): Row {
  const { container, port, protocol, published } = node;
  const text = portText(node);
  const browsable = published !== undefined && protocol === 'tcp';
  const where = published === undefined ? '' : ` ${clean(published.address)}:${published.port}`;
  return {
    id: `container/${container}/port/${port}/${protocol}${where}`,
    label: text,
    description: published === undefined ? 'not published' : '',
    icon: { name: published === undefined ? 'debug-disconnect' : 'plug' },
    context: [
      'port',
      protocol,
      published === undefined ? 'inside' : 'published',
      ...(browsable ? ['browsable'] : []),
    ].join(' '),
    fold: 'leaf',
    accessible:
      published === undefined
        ? `port ${port} ${protocol}, not published`
        : `port ${port} ${protocol}, published as ${published.port}`,
  };
}

/** `count` of the containers that are shown beneath it. */
export function containerGroupRow(group: GroupNode): Row {
  const children = group.children.filter(
    (child): child is ContainerNode => child.kind === 'container',
  );
  const running = children.filter(({ summary }) => stateOf(summary) === 'running').length;
  const [by = 'group'] = group.id.split('/', 1);
  const label = clean(group.label);
  const text =
    by === 'status'
      ? String(children.length)
      : running === children.length
        ? `${running} running`
        : `${running} of ${children.length} running`;
  return {
    id: `group/container/${group.id}`,
    label,
    description: text,
    icon: GROUP_ICONS[by] ?? { name: 'tag' },
    context: [
      'group',
      'container',
      by === 'compose' ? 'project' : by,
      ...(running > 0 ? ['running'] : []),
    ].join(' '),
    fold: 'open',
    accessible: `${GROUP_WORDS[by] ?? 'group'} ${label}, ${plural(children.length, 'container')}, ${running} running`,
  };
}

const GROUP_ICONS: Readonly<Record<string, RowIcon>> = {
  compose: { name: 'layers' },
  status: { name: 'pulse' },
};

const GROUP_WORDS: Readonly<Record<string, string>> = {
  compose: 'compose project',
  status: 'status',
  label: 'label',
};

/** Ports are links that ask us, not addresses: what is behind them is looked up when they are clicked. */
export function containerHover(node: ContainerNode, status: string): Hover {
  const { summary } = node;
  const ports = portsOf(summary);
  const rows: readonly (readonly [string, string])[] = [
    ['Image', escapeMarkdown(imageOf(summary))],
    ['Id', escapeMarkdown(shortId(node.id))],
    ['Command', escapeMarkdown(sent(summary).Command)],
    ['Project', escapeMarkdown(projectOf(summary))],
    ['Ports', ports.map((port) => portLink(node.id, port)).join(', ')],
    [
      'Networks',
      networksOf(summary)
        .map(({ name, address }) => escapeMarkdown(address === '' ? name : `${name} (${address})`))
        .join(', '),
    ],
    ['Mounts', mountsOf(summary).map(mountText).join(', ')],
  ];
  const table = rows.flatMap(([name, text]) => (text === '' ? [] : [`| ${name} | ${text} |`]));
  return {
    markdown: [
      `**${escapeMarkdown(node.name)}**`,
      '',
      escapeMarkdown(status),
      '',
      '| | |',
      '|:--|:--|',
      ...table,
      '',
    ].join('\n'),
    commands: ports.length === 0 ? [] : [OPEN_PORT],
  };
}

function portLink(container: string, port: Port): string {
  const text = escapeMarkdown(portText(port));
  if (port.published === undefined || port.protocol !== 'tcp') return text;
  const target: PortTarget = { container, port: port.port, protocol: port.protocol };
  return commandLink(text, OPEN_PORT, target);
}

const MOST_MOUNTED = 120;

function mountText({
  type,
  source,
  target,
  writable,
}: ReturnType<typeof mountsOf>[number]): string {
  const from = source === '' ? type : source;
  const text = `${clean(target)}${from === '' ? '' : ` ← ${clean(from)}`}${writable ? '' : ' (read-only)'}`;
  return escapeMarkdown(text.length > MOST_MOUNTED ? `${text.slice(0, MOST_MOUNTED)}…` : text);
}

/** The tree of containers: its nodes, where they stand, and what has changed. Pure; it reads the live store and asks no engine. */
import type { ContainerSummary } from '../../../lib/api/containers.ts';
import type { Listener } from '../../engine/engines.ts';
import type { LiveStore } from '../../live/store.ts';
import type { Arrangement, Arrangements } from '../arrangement.ts';
import { LABEL } from '../arrangement.ts';
import { GroupedList, type Heading, type Place } from '../grouped.ts';
import type { ContainerNode, GroupNode, Node, PortNode } from '../nodes.ts';
import { type By, Roots } from '../roots.ts';
import type { Changed, Hover, Row, TreeModel } from '../row.ts';
import { clean, matches, naturalKey } from '../text.ts';
import { labelOf, nameOf, portsOf, projectOf, sent, sinceOf, stateOf, statusAt } from './facts.ts';
import type { Since } from './facts.ts';
import { containerGroupRow, containerHover, containerRow, portRow } from './row.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Options {
  readonly live: LiveStore;
  readonly arrangements: Arrangements;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether other areas hang rows beneath containers. */
  readonly branched: boolean;
}

interface Shown {
  readonly since: Since | undefined;
  /** The status of the row that the view has. */
  status: string;
}

export class ContainersModel implements TreeModel {
  private readonly options: Options;
  private readonly list = new GroupedList<ContainerNode, GroupNode>(({ heading, children }) => ({
    kind: 'group',
    of: 'container',
    id: heading.id,
    label: heading.label,
    children,
  }));
  private readonly nodes = new Map<string, Writable<ContainerNode>>();
  private readonly shown = new WeakMap<ContainerNode, Shown>();
  private readonly ports = new WeakMap<ContainerNode, Map<string, Writable<PortNode>>>();
  private readonly roots: Roots<ContainerNode, GroupNode>;

  constructor(options: Options) {
    this.options = options;
    this.roots = new Roots({
      live: options.live,
      arrangements: options.arrangements,
      tree: 'containers',
      kind: 'container',
      list: this.list,
      fill: (by) => this.fill(by),
      update: (ids, by) => {
        const all = options.live.all('container');
        for (const id of ids) this.update(id, all.get(id), by);
      },
    });
  }

  /** Containers that are shown, and all that there are. */
  get counts(): { readonly shown: number; readonly all: number } {
    return { shown: this.list.size, all: this.options.live.all('container').size };
  }

  get comparisons(): number {
    return this.list.comparisons;
  }

  async children(element: Node | undefined): Promise<readonly Node[]> {
    if (element === undefined) return this.roots.children();
    if (element.kind === 'group') return element.children;
    return element.kind === 'container' ? this.portNodes(element) : [];
  }

  parent(element: Node): Node | undefined {
    if (element.kind === 'port') return this.nodes.get(element.container);
    return element.kind === 'container' ? this.list.parent(element) : undefined;
  }

  row(element: Node): Row {
    if (element.kind === 'group') return containerGroupRow(element);
    if (element.kind === 'port') return portRow(element);
    const node = element as ContainerNode;
    const shown = this.shownOf(node);
    shown.status = this.statusOf(node);
    const foldable = this.options.branched || portsOf(node.summary).length > 0;
    return containerRow(node, { status: shown.status, foldable });
  }

  hover(element: Node): Hover | undefined {
    if (element.kind !== 'container') return undefined;
    return containerHover(element, this.statusOf(element));
  }

  onDidChange(listener: (changed: Changed<Node>) => void): Listener {
    return this.roots.onDidChange(listener);
  }

  /** The node of a container that is shown, for who wants to reveal it. */
  find(id: string): ContainerNode | undefined {
    return this.list.get(id);
  }

  /** Tells the rows whose text is another one by the passing of time alone. */
  tick(): void {
    const old = [...this.nodes.values()].filter((node) => {
      const shown = this.shown.get(node);
      return shown !== undefined && shown.status !== '' && shown.status !== this.statusOf(node);
    });
    this.roots.say(old);
  }

  dispose(): void {
    this.roots.dispose();
  }

  private fill(by: By): void {
    const all = this.options.live.all('container');
    for (const id of this.nodes.keys()) if (!all.has(id)) this.nodes.delete(id);
    this.list.clear();
    const sorted = [...all.values()].map((summary) => ({
      summary,
      order: orderOf(summary, by.arrangement.sort),
    }));
    sorted.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
    for (const { summary } of sorted) this.update(summary.Id, summary, by);
  }

  private update(id: string, summary: ContainerSummary | undefined, by: By): void {
    if (summary === undefined) {
      this.nodes.delete(id);
      this.list.take(id);
      return;
    }
    const node = this.nodeOf(id, summary);
    if (matches(by.words, by.words.length === 0 ? '' : searchedText(node))) {
      this.list.put(id, node, placeOf(node, by.arrangement));
    } else this.list.take(id);
  }

  private nodeOf(id: string, summary: ContainerSummary): ContainerNode {
    const name = nameOf(summary);
    const known = this.nodes.get(id);
    if (known === undefined) {
      const made: Writable<ContainerNode> = { kind: 'container', id, name, summary };
      this.nodes.set(id, made);
      return made;
    }
    if (known.summary !== summary) this.shown.delete(known);
    known.name = name;
    known.summary = summary;
    return known;
  }

  private shownOf(node: ContainerNode): Shown {
    const known = this.shown.get(node);
    if (known !== undefined) return known;
    const since = sinceOf(sent(node.summary).Status ?? '', this.options.now());
    const made: Shown = { since, status: '' };
    this.shown.set(node, made);
    return made;
  }

  private statusOf(node: ContainerNode): string {
    const { since } = this.shownOf(node);
    return since === undefined
      ? clean(sent(node.summary).Status)
      : statusAt(since, this.options.now());
  }

  /** The same object for the same port, as long as the container is there. */
  private portNodes(node: ContainerNode): readonly PortNode[] {
    const before = this.ports.get(node);
    const after = new Map<string, Writable<PortNode>>();
    for (const { port, protocol, published } of portsOf(node.summary)) {
      const key = `${port}/${protocol} ${published?.address ?? ''} ${published?.port ?? ''}`;
      after.set(
        key,
        before?.get(key) ?? { kind: 'port', container: node.id, port, protocol, published },
      );
    }
    this.ports.set(node, after);
    return [...after.values()];
  }
}

const STATES = [
  'running',
  'restarting',
  'paused',
  'removing',
  'dead',
  'exited',
  'created',
] as const;

const STATE_LABELS: Readonly<Record<(typeof STATES)[number], string>> = {
  running: 'Running',
  restarting: 'Restarting',
  paused: 'Paused',
  removing: 'Removing',
  dead: 'Dead',
  exited: 'Exited',
  created: 'Created',
};

function placeOf({ summary }: ContainerNode, { group, sort }: Arrangement): Place {
  return { group: headingOf(summary, group), order: orderOf(summary, sort) };
}

function headingOf(summary: ContainerSummary, group: string): Heading | undefined {
  if (group === 'status') {
    const state = stateOf(summary);
    return {
      id: `status/${state}`,
      label: STATE_LABELS[state],
      order: String(STATES.indexOf(state)),
    };
  }
  const byLabel = group.startsWith(LABEL);
  const value = byLabel
    ? labelOf(summary, group.slice(LABEL.length))
    : group === 'compose'
      ? projectOf(summary)
      : undefined;
  if (value === undefined) return undefined;
  return {
    id: `${byLabel ? 'label' : 'compose'}/${value}`,
    label: value,
    order: naturalKey(value),
  };
}

function orderOf(summary: ContainerSummary, sort: string): string {
  const name = naturalKey(nameOf(summary));
  if (sort === 'status') return `${STATES.indexOf(stateOf(summary))} ${name}`;
  return sort === 'created' ? `${newestFirst(sent(summary).Created)} ${name}` : name;
}

const FAR = 10_000_000_000_000;

/** Sorts seconds since the epoch downwards, as text. */
export function newestFirst(seconds: unknown): string {
  const known = typeof seconds === 'number' && Number.isFinite(seconds) ? Math.floor(seconds) : 0;
  return String(FAR - Math.min(Math.max(known, 0), FAR)).padStart(14, '0');
}

function searchedText({ name, id, summary }: ContainerNode): string {
  const ports = portsOf(summary).map(({ port, published }) => `${port} ${published?.port ?? ''}`);
  return [
    name,
    sent(summary).Image ?? '',
    id.slice(0, 12),
    stateOf(summary),
    sent(summary).Status ?? '',
    projectOf(summary) ?? '',
    ...ports,
  ]
    .join('\n')
    .toLowerCase();
}

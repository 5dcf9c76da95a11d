/** A flat tree of things that containers use, with those containers beneath each: volumes and networks. Pure; it reads the live store alone. */
import type { ContainerSummary } from '../../lib/api/containers.ts';
import type { Listener } from '../engine/engines.ts';
import type { Change, Holdings, LiveStore } from '../live/store.ts';
import type { Arrangements } from './arrangement.ts';
import { nameOf, stateOf } from './containers/facts.ts';
import { containerHover, containerRow } from './containers/row.ts';
import { GroupedList } from './grouped.ts';
import { Members } from './members.ts';
import type { ContainerNode, NetworkNode, Node, VolumeNode } from './nodes.ts';
import { type By, Roots } from './roots.ts';
import type { Changed, Hover, Row, TreeModel } from './row.ts';
import { matches } from './text.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** How a kind is read and shown; the two there are stand in volumes.ts and networks.ts. */
export interface UsedKind<K extends 'volume' | 'network', N extends VolumeNode | NetworkNode> {
  readonly kind: K;
  readonly tree: 'volumes' | 'networks';
  node(holding: Holdings[K]): N;
  /** Puts a newer state into the same node. */
  renew(node: Writable<N>, holding: Holdings[K]): void;
  /** What `keysOf` gives for a container that uses it. */
  keys(node: N): readonly string[];
  keysOf(summary: ContainerSummary): readonly string[];
  order(node: N, sort: string): string;
  searched(node: N): string;
  row(node: N, users: readonly ContainerSummary[]): Row;
  hover(node: N, users: readonly ContainerSummary[]): Hover;
}

export class UsedModel<
  K extends 'volume' | 'network',
  N extends VolumeNode | NetworkNode,
> implements TreeModel {
  private readonly live: LiveStore;
  private readonly of: UsedKind<K, N>;
  private readonly list = new GroupedList<N, never>(() => {
    throw new Error('there are no headings here');
  });
  private readonly nodes = new Map<string, N>();
  private readonly byKey = new Map<string, Set<N>>();
  private readonly members: Members;
  private readonly users = new WeakMap<N, Map<string, Writable<ContainerNode>>>();
  private readonly above = new WeakMap<ContainerNode, N>();
  private readonly roots: Roots<N, never>;

  constructor(live: LiveStore, arrangements: Arrangements, of: UsedKind<K, N>) {
    this.live = live;
    this.of = of;
    this.members = new Members((summary) => of.keysOf(summary));
    this.roots = new Roots({
      live,
      arrangements,
      tree: of.tree,
      kind: of.kind,
      list: this.list,
      fill: (by) => this.fill(by),
      update: (ids, by) => {
        for (const id of ids) this.update(id, by);
      },
      users: (ids) => this.hearUsers(ids),
    });
  }

  get counts(): { readonly shown: number; readonly all: number } {
    return { shown: this.list.size, all: this.live.all(this.of.kind).size };
  }

  async children(element: Node | undefined): Promise<readonly Node[]> {
    if (element === undefined) return this.roots.children();
    return element.kind === this.of.kind ? this.usersOf(element as N) : [];
  }

  parent(element: Node): Node | undefined {
    return element.kind === 'container' ? this.above.get(element) : undefined;
  }

  row(element: Node): Row {
    if (element.kind === 'container') {
      // Its state without a time: nobody tells that anew here.
      return containerRow(element, { status: stateOf(element.summary), foldable: false });
    }
    const node = element as N;
    const users = this.summariesOf(node);
    const row = this.of.row(node, users);
    return { ...row, fold: users.length > 0 ? 'closed' : 'leaf' };
  }

  hover(element: Node): Hover | undefined {
    if (element.kind === 'container') {
      return containerHover(element, stateOf(element.summary));
    }
    return this.of.hover(element as N, this.summariesOf(element as N));
  }

  onDidChange(listener: (changed: Changed<Node>) => void): Listener {
    return this.roots.onDidChange(listener);
  }

  find(id: string): N | undefined {
    return this.list.get(id);
  }

  dispose(): void {
    this.roots.dispose();
  }

  private hearUsers(ids: Change['ids']): void {
    const touched = this.members.hear(ids, this.live.all('container'));
    const nodes = new Set([...touched].flatMap((key) => [...(this.byKey.get(key) ?? [])]));
    const shown = [...nodes].filter((node) => this.list.get(idOf(node)) === node);
    this.roots.say(shown);
  }

  private fill(by: By): void {
    this.members.rebuild(this.live.all('container'));
    this.list.clear();
    const all = this.live.all(this.of.kind);
    for (const id of [...this.nodes.keys()]) if (!all.has(id)) this.forget(id);
    for (const id of all.keys()) this.update(id, by);
  }

  private update(id: string, { arrangement, words }: By): void {
    const holding = this.live.all(this.of.kind).get(id);
    if (holding === undefined) {
      this.forget(id);
      return;
    }
    const known = this.nodes.get(id);
    const node = known ?? this.of.node(holding);
    if (known === undefined) {
      this.nodes.set(id, node);
      for (const key of this.of.keys(node)) {
        const nodes = this.byKey.get(key) ?? new Set();
        this.byKey.set(key, nodes.add(node));
      }
    } else this.of.renew(node, holding);
    if (words.length > 0 && !matches(words, this.of.searched(node).toLowerCase())) {
      this.list.take(id);
    } else
      this.list.put(id, node, { group: undefined, order: this.of.order(node, arrangement.sort) });
  }

  private forget(id: string): void {
    const node = this.nodes.get(id);
    this.nodes.delete(id);
    this.list.take(id);
    if (node === undefined) return;
    for (const key of this.of.keys(node)) {
      const nodes = this.byKey.get(key);
      nodes?.delete(node);
      if (nodes?.size === 0) this.byKey.delete(key);
    }
  }

  private summariesOf(node: N): readonly ContainerSummary[] {
    const containers = this.live.all('container');
    const ids = new Set(this.of.keys(node).flatMap((key) => [...this.members.of(key)]));
    return [...ids].flatMap((id) => containers.get(id) ?? []);
  }

  /** The same object for the same container, as long as it uses the thing. */
  private usersOf(node: N): readonly ContainerNode[] {
    const before = this.users.get(node);
    const after = new Map<string, Writable<ContainerNode>>();
    for (const summary of this.summariesOf(node)) {
      const { Id: id } = summary;
      const name = nameOf(summary);
      const within = { kind: this.of.kind, id: idOf(node) };
      const made = before?.get(id) ?? { kind: 'container', id, name, summary, within };
      made.name = name;
      made.summary = summary;
      after.set(id, made);
      this.above.set(made, node);
    }
    this.users.set(node, after);
    return [...after.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function idOf(node: VolumeNode | NetworkNode): string {
  return node.kind === 'volume' ? node.name : node.id;
}

/** `used by web, db`, or `not used`. */
export function usersText(users: readonly ContainerSummary[]): string {
  if (users.length === 0) return 'not used';
  const names = users.slice(0, 3).map(nameOf);
  const more = users.length - names.length;
  return `used by ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

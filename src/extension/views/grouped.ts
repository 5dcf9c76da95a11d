/**
 * Nodes in order, some of them beneath headings: changed one by one, so that a tree of thousands is never sorted twice.
 * Pure; it says which parts are other ones now and never what rows look like.
 */
import { compareText } from './text.ts';
import type { Changed } from './row.ts';

/** Keys in order with what they stand for. Every key is there once. */
class Ordered<V> {
  readonly values: V[] = [];
  private readonly keys: string[] = [];
  private readonly count: () => void;

  constructor(count: () => void) {
    this.count = count;
  }

  insert(key: string, value: V): void {
    const at = this.find(key);
    this.keys.splice(at, 0, key);
    this.values.splice(at, 0, value);
  }

  remove(key: string): void {
    const at = this.find(key);
    if (this.keys[at] !== key) return;
    this.keys.splice(at, 1);
    this.values.splice(at, 1);
  }

  /** The first place whose key is not below. */
  private find(key: string): number {
    let low = 0;
    let high = this.keys.length;
    const last = this.keys[high - 1];
    if (last !== undefined && compareText(last, key) < 0) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      this.count();
      if (compareText(this.keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where a node is shown. */
export interface Place {
  /** The heading; undefined: among the roots, behind the headings. */
  readonly group: Heading | undefined;
  /** The order among its neighbours, by code units. */
  readonly order: string;
}

export interface Heading {
  readonly id: string;
  readonly label: string;
  /** The order among the headings. */
  readonly order: string;
}

/** A heading's own object and the nodes beneath it, an array that is changed in place. */
export interface Group<N> {
  readonly heading: Heading;
  readonly children: readonly N[];
}

interface Held<N, G> {
  readonly node: N;
  readonly order: string;
  readonly group: Shelf<N, G> | undefined;
}

interface Shelf<N, G> {
  readonly element: G;
  readonly key: string;
  readonly heading: Heading;
  readonly nodes: Ordered<N>;
}

/** `N` nodes beneath `G` headings; both are compared by identity. */
export class GroupedList<N extends object, G extends object> {
  /** Comparisons that were made: what a test counts. */
  comparisons = 0;
  private readonly makeGroup: (group: Group<N>) => G;
  private roots: Ordered<N | G>;
  private readonly held = new Map<string, Held<N, G>>();
  private readonly shelves = new Map<string, Shelf<N, G>>();
  private readonly shelfOf = new Map<N, Shelf<N, G>>();
  private readonly changedGroups = new Set<G>();
  private readonly changedNodes = new Set<N>();
  private changedRoots = false;

  constructor(makeGroup: (group: Group<N>) => G) {
    this.makeGroup = makeGroup;
    this.roots = new Ordered(() => {
      this.comparisons++;
    });
  }

  get children(): readonly (N | G)[] {
    return this.roots.values;
  }

  get size(): number {
    return this.held.size;
  }

  get(id: string): N | undefined {
    return this.held.get(id)?.node;
  }

  parent(node: N): G | undefined {
    return this.shelfOf.get(node)?.element;
  }

  clear(): void {
    this.held.clear();
    this.shelves.clear();
    this.shelfOf.clear();
    this.roots = new Ordered(() => {
      this.comparisons++;
    });
    this.changedRoots = true;
  }

  /** Shows the node at its place; where it is there already, its row (and its heading's) is another one now. */
  put(id: string, node: N, place: Place): void {
    const before = this.held.get(id);
    const order = `${place.order}\u0000${id}`;
    const same =
      before?.node === node &&
      before.order === order &&
      before.group?.heading.id === place.group?.id;
    if (same) {
      this.changedNodes.add(node);
      if (before.group !== undefined) this.changedGroups.add(before.group.element);
      return;
    }
    if (before !== undefined) this.take(id);
    const shelf = place.group === undefined ? undefined : this.shelf(place.group);
    if (shelf === undefined) {
      // Behind the headings, whose keys begin with 0.
      this.roots.insert(`1${order}`, node);
      this.changedRoots = true;
    } else {
      shelf.nodes.insert(order, node);
      this.shelfOf.set(node, shelf);
      this.changedGroups.add(shelf.element);
    }
    this.held.set(id, { node, order, group: shelf });
  }

  take(id: string): void {
    const before = this.held.get(id);
    if (before === undefined) return;
    this.held.delete(id);
    this.shelfOf.delete(before.node);
    this.changedNodes.delete(before.node);
    const shelf = before.group;
    if (shelf === undefined) {
      this.roots.remove(`1${before.order}`);
      this.changedRoots = true;
      return;
    }
    shelf.nodes.remove(before.order);
    this.changedGroups.add(shelf.element);
    if (shelf.nodes.values.length > 0) return;
    this.shelves.delete(shelf.heading.id);
    this.roots.remove(shelf.key);
    this.changedGroups.delete(shelf.element);
    this.changedRoots = true;
  }

  /** What changed since the last time, as the fewest elements that a view has to ask for again. */
  flush(): Changed<N | G> {
    const groups = [...this.changedGroups];
    const changed: Changed<N | G> = this.changedRoots
      ? 'all'
      : [...groups, ...[...this.changedNodes].filter((node) => !this.isBeneath(node, groups))];
    this.changedRoots = false;
    this.changedGroups.clear();
    this.changedNodes.clear();
    return changed;
  }

  private isBeneath(node: N, groups: readonly G[]): boolean {
    const group = this.parent(node);
    return group !== undefined && groups.includes(group);
  }

  private shelf(heading: Heading): Shelf<N, G> {
    const found = this.shelves.get(heading.id);
    if (found !== undefined) return found;
    const nodes = new Ordered<N>(() => {
      this.comparisons++;
    });
    const element = this.makeGroup({ heading, children: nodes.values });
    const key = `0${heading.order}\u0000${heading.id}`;
    const made = { element, key, heading, nodes };
    this.shelves.set(heading.id, made);
    this.roots.insert(key, element);
    this.changedRoots = true;
    return made;
  }
}

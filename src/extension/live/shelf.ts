/** The holdings of one kind: takes answers of the engine in, and tells which entries they changed. Asks nobody. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HoldingKind, Holdings } from './store.ts';

/** Entries that are compared in one go (about 2 ms), so that the editor is never held up. */
const SLICE = 200;

export class Shelf<K extends HoldingKind> {
  readonly kind: K;
  /** Replaced, never changed in place; an entry that has not changed stays the same object. */
  items: ReadonlyMap<string, Holdings[K]> = new Map();

  constructor(kind: K) {
    this.kind = kind;
  }

  /** Everything of the kind, in the engine's order; gives the ids that came, went or changed. */
  async replace(list: readonly Holdings[K][]): Promise<ReadonlySet<string>> {
    const before = this.items;
    const next = new Map<string, Holdings[K]>();
    const changed = new Set<string>();
    let count = 0;
    for (const item of list) {
      count += 1;
      if (count % SLICE === 0) await nextTurn();
      this.take(next, item, { before, changed });
    }
    for (const id of before.keys()) if (!next.has(id)) changed.add(id);
    // Another order alone is a change of nothing that is shown: rows are sorted by whoever shows them.
    this.items = next;
    return changed;
  }

  /** Some entries anew: those of `asked` that are not in `list` are gone. New ones come first, as engines list them. */
  merge(asked: Iterable<string>, list: readonly Holdings[K][]): ReadonlySet<string> {
    const changed = new Set<string>();
    const fresh = new Map<string, Holdings[K]>();
    for (const item of list) this.take(fresh, item, { before: this.items, changed });
    const missing = new Set<string>();
    for (const id of asked) if (!fresh.has(id) && this.items.has(id)) missing.add(id);
    for (const id of missing) changed.add(id);
    if (changed.size === 0) return changed;
    const next = new Map<string, Holdings[K]>();
    for (const [id, item] of fresh) if (!this.items.has(id)) next.set(id, item);
    for (const [id, item] of this.items) if (!missing.has(id)) next.set(id, fresh.get(id) ?? item);
    this.items = next;
    return changed;
  }

  clear(): void {
    this.items = new Map();
  }

  private take(
    into: Map<string, Holdings[K]>,
    item: Holdings[K],
    seen: { readonly before: ReadonlyMap<string, Holdings[K]>; readonly changed: Set<string> },
  ): void {
    const id = idOf(this.kind, item);
    if (id === '') return;
    const old = seen.before.get(id);
    const same = old !== undefined && JSON.stringify(old) === JSON.stringify(item);
    if (!same) seen.changed.add(id);
    into.set(id, same ? old : item);
  }
}

/** Volumes have only a name. An object without either is nobody's. */
function idOf(kind: HoldingKind, item: object): string {
  const id: unknown = Reflect.get(item, kind === 'volume' ? 'Name' : 'Id');
  return typeof id === 'string' ? id : '';
}

/** Which containers use what: an index over the containers that is brought up to date one container at a time. Pure. */
import type { ContainerSummary } from '../../lib/api/containers.ts';

const NONE: ReadonlySet<string> = new Set();

export class Members {
  private readonly keysOf: (summary: ContainerSummary) => readonly string[];
  private readonly byKey = new Map<string, Set<string>>();
  private readonly byContainer = new Map<string, readonly string[]>();

  /** `keysOf`: what a container uses. */
  constructor(keysOf: (summary: ContainerSummary) => readonly string[]) {
    this.keysOf = keysOf;
  }

  /** The ids of the containers that use it, in the order in which they came. */
  of(key: string): ReadonlySet<string> {
    return this.byKey.get(key) ?? NONE;
  }

  /** What the container uses; nothing where it is not known. */
  uses(container: string): readonly string[] {
    return this.byContainer.get(container) ?? [];
  }

  /** Looks at these containers again; gives all that they used before or use now. */
  update(
    ids: Iterable<string>,
    containers: ReadonlyMap<string, ContainerSummary>,
  ): ReadonlySet<string> {
    const touched = new Set<string>();
    for (const id of ids) {
      for (const key of this.uses(id)) {
        touched.add(key);
        this.leave(key, id);
      }
      const summary = containers.get(id);
      const keys = summary === undefined ? [] : [...new Set(this.keysOf(summary))];
      for (const key of keys) {
        touched.add(key);
        this.join(key, id);
      }
      if (keys.length > 0) this.byContainer.set(id, keys);
      else this.byContainer.delete(id);
    }
    return touched;
  }

  /** The same for all containers, those that are gone too. */
  rebuild(containers: ReadonlyMap<string, ContainerSummary>): ReadonlySet<string> {
    return this.update(new Set([...this.byContainer.keys(), ...containers.keys()]), containers);
  }

  hear(
    ids: ReadonlySet<string> | 'all',
    containers: ReadonlyMap<string, ContainerSummary>,
  ): ReadonlySet<string> {
    return ids === 'all' ? this.rebuild(containers) : this.update(ids, containers);
  }

  private join(key: string, id: string): void {
    const ids = this.byKey.get(key);
    if (ids === undefined) this.byKey.set(key, new Set([id]));
    else ids.add(id);
  }

  private leave(key: string, id: string): void {
    const ids = this.byKey.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.byKey.delete(key);
  }
}

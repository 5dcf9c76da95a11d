/**
 * Owns copies of layers in which two ids have changed places with root's. Where the kernel cannot show a layer's files with
 * other owners (overlayfs without rights over the host's file systems), a container with a map of its own stands on such
 * copies. A copy lies beside its layer, `snapshots/<layer>-<uid>-<gid>/fs`, appears under that name only when it is whole,
 * and goes with its layer.
 */

import { existsSync } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerVerbs, OwnerIds, Places, Snapshot } from './types.ts';

export interface CopyParts {
  readonly places: Places;
  readonly native: LayerVerbs;
}

/** Ids of one archive and what they become. */
interface IdRange {
  readonly container: number;
  readonly host: number;
  readonly size: number;
}

const ALL_IDS = 2 ** 32 - 1;

export class OwnedCopies {
  readonly #parts: CopyParts;
  readonly #running = new Map<string, Promise<void>>();

  constructor(parts: CopyParts) {
    this.#parts = parts;
  }

  /** Where the copy of the layer in `directory` lies, made or not. */
  dir(directory: string, ids: OwnerIds): string {
    return join(this.#parts.places.snapshotsDir, nameOf(directory, ids), 'fs');
  }

  /** Makes the copies that are missing, side by side, and brings them to the disk. */
  async make(
    layers: readonly { directory: string; snapshot: Snapshot }[],
    ids: OwnerIds,
    signal: AbortSignal,
  ): Promise<void> {
    const missing = layers.filter(({ directory }) => !existsSync(this.dir(directory, ids)));
    if (missing.length === 0) return;
    await Promise.all(
      missing.map(({ directory, snapshot }) => {
        const name = nameOf(directory, ids);
        const known = this.#running.get(name);
        if (known !== undefined) return known;
        const work = this.#copy(name, snapshot, { ids, signal }).finally(() =>
          this.#running.delete(name),
        );
        this.#running.set(name, work);
        return work;
      }),
    );
  }

  async #copy(
    name: string,
    snapshot: Snapshot,
    { ids, signal }: { ids: OwnerIds; signal: AbortSignal },
  ): Promise<void> {
    const { native, places } = this.#parts;
    const making = join(places.snapshotsDir, `${name}.new`);
    const dir = join(making, 'fs');
    await native.call(['layer', 'remove'], { dirs: [making] });
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await chmod(dir, 0o755);
      const diff = { dir: snapshot.dir, out: null, compress: 'none', sourceDateEpoch: null };
      const { output, done } = native.stream(['layer', 'diff', '--to-stdout'], diff, { signal });
      const unpack = {
        dir,
        form: 'overlay',
        keep: null,
        expectDigest: null,
        expectDiffId: null,
        limits: null,
        sync: true,
        idMap: { uids: swapped(ids.uid), gids: swapped(ids.gid) },
      };
      await Promise.all([
        done,
        native.call(['layer', 'unpack'], unpack, { input: output, signal }),
      ]);
      await rename(making, join(places.snapshotsDir, name));
    } catch (error) {
      await native.call(['layer', 'remove'], { dirs: [making] });
      throw error;
    }
  }
}

/** Of the folders present, those that are whole copies of the layer in `directory`. */
export function copiesOf(directory: string, present: Iterable<string>): string[] {
  const copy = new RegExp(`^${directory}-\\d+-\\d+$`);
  return [...present].filter((name) => copy.test(name));
}

/** The layer's folder that a copy's name tells; undefined for other names. */
export function copiedFrom(name: string): string | undefined {
  return /^([0-9a-f]+)-\d+-\d+$/.exec(name)?.[1];
}

function nameOf(directory: string, { uid, gid }: OwnerIds): string {
  return `${directory}-${String(uid)}-${String(gid)}`;
}

function swapped(id: number): IdRange[] {
  if (id === 0) return [{ container: 0, host: 0, size: ALL_IDS }];
  return [
    { container: 0, host: id, size: 1 },
    { container: 1, host: 1, size: id - 1 },
    { container: id, host: 0, size: 1 },
    { container: id + 1, host: id + 1, size: ALL_IDS - id - 1 },
  ].filter(({ size }) => size > 0);
}

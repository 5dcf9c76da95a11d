/**
 * Owns the unpacked layers. Theory of operation: every layer is a directory `snapshots/<random>/fs`, made in
 * full before a row names it (so a killed engine leaves only directories without a row, which the next start
 * removes); rows go before directories when layers are removed. Layers do not depend on each other's bytes,
 * so they are unpacked side by side and get their place in a chain afterwards. Trees are only ever written,
 * hashed and removed by the native helper, beneath directory descriptors.
 */

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import type { Digest } from '../../lib/image/config.ts';
import { chainId as chainOf } from './digest.ts';
import { Flusher, readBootId } from './flusher.ts';
import { Compression } from './compression.ts';
import { isFolder, makeTop, newId } from './layer-folders.ts';
import { layerStream } from './layer-stream.ts';
import { freeBytes } from './places.ts';
import { OwnedCopies, copiedFrom, copiesOf } from './owned-copies.ts';
import { Removals } from './removals.ts';
import { SnapshotTable } from './snapshot-table.ts';
import type { Row } from './snapshot-table.ts';
import type {
  BlobStore,
  Database,
  Diffed,
  Draft,
  ImportOptions,
  LayerVerbs,
  Lease,
  OwnerIds,
  Places,
  Snapshot,
  SnapshotStore,
  StagedLayer,
  Unpacked,
} from './types.ts';

/** Entries of one layer; a bomb of tiny files ends here. */
const MAX_ENTRIES = 5_000_000;

export interface SnapshotParts {
  readonly places: Places;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly native: LayerVerbs;
  readonly warn: (message: string) => void;
  /** Names the running kernel; another one means that the machine may have lost power. */
  readonly bootId?: () => Promise<string>;
}

/** Opens the store and puts it right: left-over directories go, rows whose files are lost or doubtful go. */
export async function openSnapshots(parts: SnapshotParts): Promise<SnapshotStore> {
  const store = new Snapshots(parts);
  await store.recover();
  return store;
}

/** Holds the invariant that a row's directory is complete and that what is in use is never swept. */
class Snapshots implements SnapshotStore {
  readonly #parts: SnapshotParts;
  readonly #table: SnapshotTable;
  readonly #flusher: Flusher;
  readonly #drafts = new Map<string, Digest | null>();
  readonly #staged = new Map<string, Unpacked>();
  readonly #removals: Removals;
  readonly #copies: OwnedCopies;
  readonly #leases = new Set<Set<Digest>>();
  readonly #compression: Compression;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
    this.#table = new SnapshotTable(parts.database, (directory) =>
      join(parts.places.snapshotsDir, directory, 'fs'),
    );
    this.#removals = new Removals(parts);
    this.#copies = new OwnedCopies(parts);
    this.#compression = new Compression({
      get: (chainId) => this.#need(chainId),
      tar: (chainId, signal) => this.exportLayer(chainId, signal),
      file: () => this.#keepPath(newId()),
      keep: async (chainId, file, blob) => {
        await this.#parts.blobs.adopt(file, blob.digest);
        const before = this.#need(chainId).blob;
        this.#table.setBlob(chainId, blob);
        if (before !== null) await this.#dropBlob(before.digest);
      },
    });
    this.#flusher = new Flusher({
      pending: () =>
        this.#table
          .all()
          .filter((row) => !row.synced)
          .map((row) => row.snapshot.chainId),
      sync: async () => {
        await parts.native.call(['layer', 'sync'], { dirs: [parts.places.snapshotsDir] });
      },
      done: (chains) => {
        this.#table.markSynced(chains.filter((chain) => this.#table.get(chain) !== undefined));
      },
      warn: parts.warn,
    });
  }

  async recover(): Promise<void> {
    const { places, warn } = this.#parts;
    const lost: Digest[] = [];
    const boot = await (this.#parts.bootId ?? readBootId)();
    const before = this.#table.fact('boot_id');
    const rebooted = before !== undefined && before !== boot;
    const present = new Set(await readdir(places.snapshotsDir));
    for (const row of this.#table.all()) {
      const complete = present.has(row.directory) && (await isFolder(row.snapshot.dir));
      if (!complete || (rebooted && !row.synced)) lost.push(row.snapshot.chainId);
    }
    if (lost.length > 0) {
      warn(
        `${String(lost.length)} layers were not on the disk in full before the machine stopped and are dropped`,
      );
      await this.#removeChains(this.#table.withDescendants(lost));
    }
    const named = new Set(this.#table.all().map((row) => row.directory));
    this.#removals.later(
      [...present].filter((name) => !named.has(name) && !named.has(copiedFrom(name) ?? '')),
    );
    if (before !== boot) this.#table.setFact('boot_id', boot);
    if (this.#table.all().some((row) => !row.synced)) this.#flusher.soon();
  }

  get(chainId: Digest): Snapshot | undefined {
    return this.#table.get(chainId)?.snapshot;
  }

  all(): Snapshot[] {
    return this.#table.all().map((row) => row.snapshot);
  }

  lowers(chainId: Digest | null, ids?: OwnerIds): string[] {
    return this.#chain(chainId).map(({ snapshot, directory }) =>
      ids === undefined ? snapshot.dir : this.#copies.dir(directory, ids),
    );
  }

  prepareOwned(chainId: Digest | null, ids: OwnerIds, signal: AbortSignal): Promise<void> {
    return this.#copies.make(this.#chain(chainId), ids, signal);
  }

  /** Top first. */
  #chain(chainId: Digest | null): Row[] {
    const rows: Row[] = [];
    for (let at = chainId; at !== null;) {
      const row = this.#needRow(at);
      rows.push(row);
      at = row.snapshot.parent;
    }
    return rows;
  }

  async draft(parent: Digest | null): Promise<Draft> {
    const lowers = this.lowers(parent);
    const id = newId();
    this.#drafts.set(id, parent);
    const upper = this.#layerDir(id);
    const work = join(this.#parts.places.snapshotsDir, id, 'work');
    try {
      await makeTop(upper);
      await mkdir(work, { mode: 0o700 });
    } catch (error) {
      this.#drafts.delete(id);
      throw error;
    }
    return { id, parent, lowers, upper, work };
  }

  async commit(
    draft: Draft,
    options: { signal?: AbortSignal; lease?: Lease } = {},
  ): Promise<Snapshot> {
    if (!this.#drafts.has(draft.id))
      throw new EngineError('internal', `the draft ${draft.id} is closed already`);
    const call = options.signal === undefined ? {} : { signal: options.signal };
    const answer = await this.#parts.native.call<Diffed>(
      ['layer', 'diff'],
      { dir: draft.upper, out: null, compress: 'none', sourceDateEpoch: null },
      call,
    );
    await this.#parts.native.call(['layer', 'remove'], { dirs: [draft.work] });
    const snapshot = await this.#place(
      draft.id,
      draft.parent,
      { ...answer, kept: null },
      options.lease,
    );
    this.#drafts.delete(draft.id);
    return snapshot;
  }

  async discard(draft: Draft): Promise<void> {
    if (!this.#drafts.delete(draft.id)) return;
    await this.#removals.now([draft.id]);
  }

  async importLayer(stream: Readable, options: ImportOptions): Promise<Snapshot> {
    const { parent, lease, after, ...rest } = options;
    const staged = await this.stage(stream, rest);
    try {
      await after;
      return await this.settle(staged, { parent, ...(lease === undefined ? {} : { lease }) });
    } catch (error) {
      await this.drop(staged);
      throw error;
    }
  }

  async stage(
    stream: Readable,
    options: Omit<ImportOptions, 'parent' | 'lease' | 'after'>,
  ): Promise<StagedLayer> {
    const { native, places } = this.#parts;
    const id = newId();
    const dir = this.#layerDir(id);
    // The stream may fail before the helper listens to it.
    stream.on('error', () => undefined);
    try {
      await makeTop(dir);
      if (stream.destroyed)
        throw (
          stream.errored ?? new EngineError('cancelled', 'the layer ended before it was complete')
        );
      const request = {
        dir,
        form: 'overlay',
        keep: this.#keepPath(id),
        expectDigest: options.expectDigest ?? null,
        expectDiffId: options.expectDiffId ?? null,
        limits: { bytes: freeBytes(places.snapshotsDir), entries: MAX_ENTRIES },
        idMap: null,
      };
      const answer = await native.call<Unpacked>(['layer', 'unpack'], request, {
        input: stream,
        signal: options.signal,
      });
      this.#staged.set(id, answer);
      return { id, diffId: answer.diffId };
    } catch (error) {
      stream.destroy();
      await rm(this.#keepPath(id), { force: true });
      await this.#removals.now([id]);
      throw error;
    }
  }

  async settle(
    staged: StagedLayer,
    options: { parent: Digest | null; lease?: Lease },
  ): Promise<Snapshot> {
    const answer = this.#staged.get(staged.id);
    if (answer === undefined)
      throw new EngineError('internal', `the staged layer ${staged.id} is settled already`);
    if (answer.kept !== null)
      await this.#parts.blobs.adopt(this.#keepPath(staged.id), answer.kept.digest);
    const snapshot = await this.#place(staged.id, options.parent, answer, options.lease);
    this.#staged.delete(staged.id);
    return snapshot;
  }

  async drop(staged: StagedLayer): Promise<void> {
    const answer = this.#staged.get(staged.id);
    if (answer === undefined) return;
    this.#staged.delete(staged.id);
    await rm(this.#keepPath(staged.id), { force: true });
    this.#removals.later([staged.id]);
    if (answer.kept !== null) await this.#dropBlob(answer.kept.digest);
  }

  lease(): Lease {
    const chains = new Set<Digest>();
    this.#leases.add(chains);
    return {
      add: (chainId) => chains.add(chainId),
      release: () => {
        this.#leases.delete(chains);
      },
    };
  }

  exportLayer(chainId: Digest, signal: AbortSignal): Promise<Readable> {
    return Promise.resolve(layerStream(this.#parts, this.#need(chainId), signal));
  }

  compressed(chainId: Digest, signal: AbortSignal): Promise<NonNullable<Snapshot['blob']>> {
    return this.#compression.of(chainId, signal);
  }

  async sweep(needed: ReadonlySet<Digest>): Promise<number> {
    const keep = new Set<Digest>();
    const mark = (from: Digest | null): void => {
      for (let at = from; at !== null && !keep.has(at);) {
        keep.add(at);
        at = this.get(at)?.parent ?? null;
      }
    };
    for (const chain of needed) mark(chain);
    for (const lease of this.#leases) for (const chain of lease) mark(chain);
    for (const parent of this.#drafts.values()) mark(parent);
    const going = this.#table.all().filter((row) => !keep.has(row.snapshot.chainId));
    return this.#removeChains(going.map((row) => row.snapshot.chainId));
  }

  flush(): Promise<void> {
    return this.#flusher.flush();
  }

  idle(): Promise<void> {
    return this.#removals.idle();
  }

  async close(): Promise<void> {
    await this.#removals.stop();
    await this.#flusher.flush();
  }

  /** Gives a finished directory its row, or drops it when the chain exists. */
  async #place(
    id: string,
    parent: Digest | null,
    facts: Diffed & Pick<Unpacked, 'kept'>,
    lease: Lease | undefined,
  ): Promise<Snapshot> {
    if (parent !== null) this.#need(parent);
    const chainId = chainOf(parent, facts.diffId);
    lease?.add(chainId);
    const row: Row = {
      directory: id,
      synced: false,
      snapshot: {
        chainId,
        parent,
        diffId: facts.diffId,
        dir: this.#layerDir(id),
        size: facts.usage,
        diffSize: facts.diffSize,
        blob: facts.kept,
      },
    };
    if (!this.#table.insert(row)) {
      await this.#removals.now([id]);
      if (facts.kept !== null) await this.#dropBlob(facts.kept.digest);
      return this.#need(chainId);
    }
    this.#flusher.soon();
    return row.snapshot;
  }

  /** Removes rows, then blobs and directories; returns the bytes freed. */
  async #removeChains(chains: readonly Digest[]): Promise<number> {
    const rows = chains.map((chain) => this.#needRow(chain));
    this.#table.remove(chains);
    let bytes = 0;
    for (const { snapshot } of rows) {
      bytes += snapshot.size;
      if (snapshot.blob !== null && (await this.#dropBlob(snapshot.blob.digest)))
        bytes += snapshot.blob.size;
    }
    const present = await readdir(this.#parts.places.snapshotsDir);
    this.#removals.later(
      rows.flatMap(({ directory }) => [directory, ...copiesOf(directory, present)]),
    );
    return bytes;
  }

  async #dropBlob(digest: Digest): Promise<boolean> {
    if (this.#table.blobInUse(digest)) return false;
    for (const staged of this.#staged.values()) if (staged.kept?.digest === digest) return false;
    await this.#parts.blobs.remove(digest);
    return true;
  }

  #need(chainId: Digest): Snapshot {
    return this.#needRow(chainId).snapshot;
  }

  #needRow(chainId: Digest): Row {
    const row = this.#table.get(chainId);
    if (row !== undefined) return row;
    throw new EngineError(
      'not-found',
      `the layer ${chainId} is not in the store: pull, load or build its image again`,
    );
  }

  #layerDir(id: string): string {
    return join(this.#parts.places.snapshotsDir, id, 'fs');
  }

  #keepPath(id: string): string {
    return join(this.#parts.places.tmpDir, `layer-${id}`);
  }
}

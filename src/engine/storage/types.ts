/** What the rest of the engine may ask of the store: the database, the blobs and the snapshots. It holds no knowledge of images or containers. */

import type { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import type { Digest } from '../../lib/image/config.ts';

/** One step of the schema's history; applied once, in order, in one transaction. */
export interface Migration {
  /** `area/NNN-name`, unique; the areas are images, containers, volumes, networks, builder. */
  readonly name: string;
  readonly sql: string;
}

/** The one SQLite database (WAL, synchronous FULL): what the API acknowledged survives power loss. */
export interface Database {
  readonly sql: DatabaseSync;
  /** Runs `work` in an immediate transaction; nested calls join the outer one. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** Where things lie on disk. All absolute. */
export interface Places {
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly contentDir: string;
  readonly snapshotsDir: string;
  readonly volumesDir: string;
  readonly containersDir: string;
  readonly shimsDir: string;
  readonly tmpDir: string;
}

/** The part of the native helper that the store needs (docs/native.md, `layer`). */
export interface LayerVerbs {
  call<T>(
    verb: readonly string[],
    request: unknown,
    options?: { readonly signal?: AbortSignal; readonly input?: Readable },
  ): Promise<T>;
  stream<T>(
    verb: readonly string[],
    request: unknown,
    options?: { readonly signal?: AbortSignal },
  ): { output: Readable; done: Promise<T> };
}

/** The answer of `layer unpack`. */
export interface Unpacked {
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  readonly diffSize: number;
  readonly usage: number;
  readonly kept: {
    readonly digest: Digest;
    readonly size: number;
    readonly mediaType: string;
  } | null;
}

/** The answer of `layer diff`, as far as a snapshot needs it. */
export interface Diffed {
  readonly diffId: Digest;
  readonly diffSize: number;
  readonly usage: number;
}

/** Immutable blobs, named by digest; one with a wrong digest is never visible. */
export interface BlobStore {
  has(digest: Digest): boolean;
  /** The file of a blob, whether or not it is there. */
  path(digest: Digest): string;
  read(digest: Digest): Promise<Buffer>;
  write(data: Buffer | string): Promise<{ digest: Digest; size: number }>;
  /** Takes over a finished file of the same file system whose digest has been verified already. */
  adopt(file: string, digest: Digest): Promise<void>;
  all(): Promise<Digest[]>;
  remove(digest: Digest): Promise<void>;
}

/** One unpacked layer: its directory is one lower directory of an overlay mount. */
export interface Snapshot {
  readonly chainId: Digest;
  readonly parent: Digest | null;
  readonly diffId: Digest;
  readonly dir: string;
  /** Bytes of the layer's files. */
  readonly size: number;
  /** Bytes of its uncompressed tar. */
  readonly diffSize: number;
  /** The blob the layer came from; null when it was built here and no blob was made yet. */
  readonly blob: {
    readonly digest: Digest;
    readonly size: number;
    readonly mediaType: string;
  } | null;
}

/** Ids that change places with root's. */
export interface OwnerIds {
  readonly uid: number;
  readonly gid: number;
}

/** A layer being written: an overlay's upper and work directories above a chain. */
export interface Draft {
  readonly id: string;
  readonly parent: Digest | null;
  /** Top first. */
  readonly lowers: readonly string[];
  readonly upper: string;
  readonly work: string;
}

export interface ImportOptions {
  readonly parent: Digest | null;
  readonly expectDiffId?: Digest;
  /** Digest of the stream as it comes (compressed). */
  readonly expectDigest?: Digest;
  readonly signal: AbortSignal;
  /** Keeps the new snapshot from sweeps until something durable names it. */
  readonly lease?: Lease;
  /** Settles when the parent is there: layers are unpacked side by side and become visible bottom first. */
  readonly after?: Promise<unknown>;
}

/** A layer that is unpacked but has no place in a chain yet; `settle` or `drop` it. */
export interface StagedLayer {
  readonly id: string;
  readonly diffId: Digest;
}

/** Snapshots in use by work under way: sweeps leave them and their parents alone. In memory only. */
export interface Lease {
  add(chainId: Digest): void;
  release(): void;
}

/**
 * Layers by chain id (image-spec, "Layer ChainID"). Life cycle: draft → commit | discard; a committed
 * snapshot never changes. Left-over drafts of a killed engine are removed at start-up.
 */
export interface SnapshotStore {
  get(chainId: Digest): Snapshot | undefined;
  /**
   * Directories of the chain, top first; empty for null. With `ids` those of the copies that `prepareOwned` makes. Throws
   * not-found.
   */
  lowers(chainId: Digest | null, ids?: OwnerIds): string[];
  /** Makes the copies of the chain's layers in which these ids and root's have changed places; they go with the layers. */
  prepareOwned(chainId: Digest | null, ids: OwnerIds, signal: AbortSignal): Promise<void>;
  draft(parent: Digest | null): Promise<Draft>;
  /** Hashes the upper directory and makes it a snapshot; if the chain id exists already the draft is dropped. */
  commit(draft: Draft, options?: { signal?: AbortSignal; lease?: Lease }): Promise<Snapshot>;
  discard(draft: Draft): Promise<void>;
  /** Unpacks a layer stream into a new snapshot, keeping its blob; undone whole on error or abort. */
  importLayer(stream: Readable, options: ImportOptions): Promise<Snapshot>;
  /** The first half of importLayer, for archives that name a layer's place only after its bytes. */
  stage(
    stream: Readable,
    options: Omit<ImportOptions, 'parent' | 'lease' | 'after'>,
  ): Promise<StagedLayer>;
  /** The second half: gives a staged layer its place. The same stage may be settled once. */
  settle(staged: StagedLayer, options: { parent: Digest | null; lease?: Lease }): Promise<Snapshot>;
  drop(staged: StagedLayer): Promise<void>;
  lease(): Lease;
  /** The layer's uncompressed tar, byte for byte of digest `diffId`. */
  exportLayer(chainId: Digest, signal: AbortSignal): Promise<Readable>;
  /** The layer as a gzip blob: the kept one, or one that is made now and kept; the same bytes every time. */
  compressed(
    chainId: Digest,
    signal: AbortSignal,
  ): Promise<{ readonly mediaType: string; readonly digest: Digest; readonly size: number }>;
  /** Removes every snapshot (and its blob) that is neither in `needed`, nor below one that is, nor in use by work under way; returns the bytes freed. */
  sweep(needed: ReadonlySet<Digest>): Promise<number>;
  all(): Snapshot[];
  /** Brings everything committed so far to the disk; resolves when a power cut can no longer lose it. */
  flush(): Promise<void>;
  /** Resolves when no removed layer is being taken off the disk any more. */
  idle(): Promise<void>;
  /** Flushes, leaves removals to the next start, and stops the background work. */
  close(): Promise<void>;
}

/**
 * Owns the images: their names, their configurations, and the rule that an image's layers stay while anything
 * needs them. Getting images from outside is left to pull.ts, load.ts and import.ts, which are loaded on first use.
 */

import type { Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import type { Digest, ImageConfig, Platform } from '../../lib/image/config.ts';
import {
  familiarReference,
  parseReference,
  tryReference,
  withDefaultTag,
} from '../../lib/image/reference.ts';
import type { Reference } from '../../lib/image/reference.ts';
import { chainIds } from '../storage/digest.ts';
import type { BlobStore, Database, SnapshotStore } from '../storage/types.ts';
import type { RegistryConfig } from '../../lib/image/registry-config.ts';
import { ImageTable, familiarNames } from './image-table.ts';
import type { ImageRow } from './image-table.ts';
import { removeImage } from './removal.ts';
import type { ImageUser } from './removal.ts';
import type { RawManifest } from './registry.ts';
import type { Image, ImageEvent, ImageStore, Progress, PullOptions, PushOptions } from './types.ts';

export interface ImageParts {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly snapshots: SnapshotStore;
  readonly registry: RegistryConfig;
  /** The machine's own platform. */
  readonly platform: Platform;
  /** The containers that were made from an image. */
  readonly usersOf: (imageId: string) => ImageUser[];
  /** Chains that containers and the build cache need. */
  readonly neededChains: () => Iterable<Digest>;
  readonly emit: (event: ImageEvent) => void;
  readonly warn: (message: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What pull, load and import add to the store. */
export interface Admission {
  readonly config: ImageConfig;
  /** The configuration byte for byte: its digest is the image's id. */
  readonly raw: Buffer | string;
  readonly names: readonly Reference[];
  readonly parent?: string;
  /** The manifest by which a registry knows it. */
  readonly manifest?: RawManifest;
}

/** The store as its own parts see it. */
export interface ImageAdmitter {
  readonly parts: ImageParts;
  find(reference: string): Image | undefined;
  get(reference: string): Image;
  named(reference: Reference): Image | undefined;
  tagsOf(repository: string): Reference[];
  admit(admission: Admission): Promise<Image>;
  /** The manifest that an image was last pulled or pushed with. */
  manifestOf(id: Digest): RawManifest | undefined;
  sweep(): Promise<number>;
  /** Layers that pulls are fetching, so that two pulls fetch each only once. */
  readonly inFlight: Map<Digest, Promise<void>>;
}

const FULL_ID = /^(?:sha256:)?[a-f0-9]{64}$/;
const MIN_PREFIX = /^(?:sha256:)?[a-f0-9]{1,64}$/;

/** Opens the store; images whose layers were lost go, and so do blobs that nothing names. */
export async function openImages(parts: ImageParts): Promise<ImageStore> {
  const store = new Images(parts);
  await store.recover();
  return store;
}

/** Holds the invariant that every image's configuration blob and chain of snapshots exist. */
class Images implements ImageStore, ImageAdmitter {
  readonly parts: ImageParts;
  readonly inFlight = new Map<Digest, Promise<void>>();
  readonly #table: ImageTable;

  constructor(parts: ImageParts) {
    this.parts = parts;
    this.#table = new ImageTable(parts.database);
  }

  async recover(): Promise<void> {
    const { blobs, snapshots, warn } = this.parts;
    for (const row of this.#table.all()) {
      const complete = row.chainId === null || snapshots.get(row.chainId) !== undefined;
      if (complete && blobs.has(row.id)) continue;
      const { tags } = familiarNames(this.#table.namesOf(row.id));
      warn(
        `the image ${tags[0] ?? row.id} has lost layers and is dropped: pull, load or build it again`,
      );
      this.#table.remove(row.id);
    }
    const used = new Set<Digest>(this.#table.all().map((row) => row.id));
    for (const { blob } of snapshots.all()) if (blob !== null) used.add(blob.digest);
    for (const digest of await blobs.all()) if (!used.has(digest)) await blobs.remove(digest);
  }

  find(text: string): Image | undefined {
    const row = this.#find(text);
    return row === undefined ? undefined : this.#image(row);
  }

  get(text: string): Image {
    const image = this.find(text);
    if (image !== undefined) return image;
    const reference = tryReference(text);
    const shown = reference === undefined ? text : familiarReference(withDefaultTag(reference));
    throw new EngineError('not-found', `No such image: ${shown}`);
  }

  named(reference: Reference): Image | undefined {
    const row = this.#table.named(reference);
    return row === undefined ? undefined : this.#image(row);
  }

  tagsOf(repository: string): Reference[] {
    return this.#table.tagsOf(repository);
  }

  manifestOf(id: Digest): RawManifest | undefined {
    return this.#table.manifestOf(id);
  }

  list(): Image[] {
    return this.#table.all().map((row) => this.#image(row));
  }

  create(
    config: ImageConfig,
    options: { tags: readonly string[]; parent?: string },
  ): Promise<Image> {
    const names = options.tags.map(tagName);
    const parent = options.parent === undefined ? {} : { parent: options.parent };
    return this.admit({ config, raw: JSON.stringify(config), names, ...parent });
  }

  async admit(admission: Admission): Promise<Image> {
    const { blobs, snapshots } = this.parts;
    const { config, names } = admission;
    const chainId = chainIds(config.rootfs.diff_ids).at(-1) ?? null;
    if (chainId !== null && snapshots.get(chainId) === undefined) {
      throw new EngineError('internal', `the layer ${chainId} of the image is not in the store`);
    }
    const { digest: id } = await blobs.write(admission.raw);
    const lease = snapshots.lease();
    try {
      if (chainId !== null) {
        lease.add(chainId);
        snapshots.lowers(chainId);
      }
      const row = { id, chainId, parent: admission.parent ?? '', config, lastTagged: '' };
      this.#table.put(row, names, this.#now());
      if (admission.manifest !== undefined) this.#table.putManifest(id, admission.manifest);
    } finally {
      lease.release();
    }
    for (const name of names) {
      if (name.digest === undefined) this.#emitTag(id, name);
    }
    return this.get(id);
  }

  tag(text: string, name: string): Promise<void> {
    const image = this.get(text);
    const reference = tagName(name);
    const row = this.#table.get(image.id);
    if (row === undefined) throw new EngineError('not-found', `No such image: ${text}`);
    this.#table.put(row, [reference], this.#now());
    this.#emitTag(image.id, reference);
    return Promise.resolve();
  }

  async remove(
    text: string,
    options: { force: boolean; prune: boolean },
  ): Promise<{ Untagged?: string; Deleted?: string }[]> {
    const { blobs, snapshots, usersOf, emit } = this.parts;
    const { id } = this.get(text);
    const before = snapshots.all();
    const records = removeImage({ table: this.#table, usersOf, emit }, { id, text }, options);
    if (!records.some((record) => record.Deleted !== undefined)) return records;
    for (const { Deleted: gone } of records) {
      if (gone !== undefined && this.#table.get(gone) === undefined) await blobs.remove(gone);
    }
    await this.sweep();
    for (const { chainId } of before.reverse()) {
      if (snapshots.get(chainId) === undefined) records.push({ Deleted: chainId });
    }
    return records;
  }

  async pull(reference: string, options: PullOptions): Promise<Image> {
    const { pullImage } = await import('./pull.ts');
    return this.#durable(await pullImage(this, reference, options));
  }

  async push(reference: string, options: PushOptions): Promise<void> {
    const { pushImage } = await import('./push.ts');
    await pushImage(this, reference, options);
  }

  async load(
    archive: Readable,
    options: { onProgress: (line: Progress) => void; signal: AbortSignal },
  ): Promise<Image[]> {
    const { loadArchive } = await import('./load.ts');
    return this.#durable(await loadArchive(this, archive, options));
  }

  async save(references: readonly string[], signal: AbortSignal): Promise<Readable> {
    const { saveArchive } = await import('./save.ts');
    return saveArchive(this, references, signal);
  }

  async import(
    archive: Readable,
    options: {
      tag?: string;
      changes: readonly string[];
      message?: string;
      platform?: string;
      signal: AbortSignal;
    },
  ): Promise<Image> {
    const { importRoot } = await import('./import.ts');
    return this.#durable(await importRoot(this, archive, options));
  }

  async sweep(): Promise<number> {
    const { snapshots, neededChains } = this.parts;
    const needed = new Set<Digest>(neededChains());
    for (const { chainId } of this.#table.all()) if (chainId !== null) needed.add(chainId);
    return snapshots.sweep(needed);
  }

  /** What came from outside is acknowledged when a power cut cannot take it any more. */
  async #durable<T>(result: T): Promise<T> {
    await this.parts.snapshots.flush();
    return result;
  }

  #find(text: string): ImageRow | undefined {
    if (FULL_ID.test(text)) return this.#table.get(`sha256:${text.slice(-64)}`);
    const reference = text.startsWith('sha256:') ? undefined : parseReference(text);
    if (reference !== undefined) {
      const row = this.#table.named(withDefaultTag(reference)) ?? this.#byOwnDigest(reference);
      if (row !== undefined) return row;
    }
    return MIN_PREFIX.test(text) ? this.#byPrefix(text.replace(/^sha256:/, '')) : undefined;
  }

  /** `name@sha256:<the image's own id>`, for an image that has that name. */
  #byOwnDigest(reference: Reference): ImageRow | undefined {
    const row = reference.digest === undefined ? undefined : this.#table.get(reference.digest);
    const names = row === undefined ? [] : this.#table.namesOf(row.id);
    return names.some((name) => name.domain === reference.domain && name.path === reference.path)
      ? row
      : undefined;
  }

  #byPrefix(prefix: string): ImageRow | undefined {
    const found = this.#table.all().filter((row) => row.id.startsWith(`sha256:${prefix}`));
    if (found.length <= 1) return found[0];
    throw new EngineError(
      'invalid',
      `the image id ${prefix} is ambiguous: ${String(found.length)} images begin with it, give more digits`,
    );
  }

  #image(row: ImageRow): Image {
    const { snapshots } = this.parts;
    let size = 0;
    for (let at = row.chainId; at !== null;) {
      const snapshot = snapshots.get(at);
      size += snapshot?.size ?? 0;
      at = snapshot?.parent ?? null;
    }
    return {
      id: row.id,
      config: row.config,
      chainId: row.chainId,
      ...familiarNames(this.#table.namesOf(row.id)),
      size,
      created: row.config.created ?? '',
      parent: row.parent,
      lastTagged: row.lastTagged,
    };
  }

  #emitTag(id: Digest, name: Reference): void {
    this.parts.emit({ action: 'tag', id, attributes: { name: familiarReference(name) } });
  }

  #now(): string {
    return new Date(this.parts.now()).toISOString();
  }
}

/** A name to give: `latest` when it has no tag; a digest cannot be given. */
function tagName(text: string): Reference {
  const reference = parseReference(text);
  if (reference.digest !== undefined) {
    throw new EngineError('invalid', 'refusing to create a tag with a digest reference');
  }
  return withDefaultTag(reference);
}

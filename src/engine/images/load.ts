/**
 * Owns `docker load`. Theory of operation: the archive is read once, as it comes. What looks like a layer goes
 * straight to the helper that unpacks it (layers do not depend on each other's bytes), small JSON documents are
 * kept in memory, and when the archive has ended its manifest.json or index.json says which layer belongs where.
 * Nothing of the archive's own names ever reaches the disk.
 */

import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { extract } from 'tar-stream';
import type { Extract } from 'tar-stream';
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { Digest } from '../../lib/image/config.ts';
import { shortId } from '../../lib/image/digest.ts';
import { LIMITS, parseConfig } from '../../lib/image/manifest.ts';
import { familiarReference } from '../../lib/image/reference.ts';
import type { Reference } from '../../lib/image/reference.ts';
import { chainId, sha256 } from '../storage/digest.ts';
import type { Lease, StagedLayer } from '../storage/types.ts';
import { planArchive } from './archive.ts';
import type { ArchiveImage } from './archive.ts';
import type { ImageAdmitter } from './store.ts';
import type { Image, Progress } from './types.ts';

type Entry = Extract extends AsyncIterable<infer T> ? T : never;

const MAX_ENTRIES = 20_000;
const MAX_DOCUMENTS_BYTES = 64 * 1024 * 1024;
const HEAD = 512;

export interface LoadOptions {
  readonly onProgress: (line: Progress) => void;
  readonly signal: AbortSignal;
}

/** What an archive held. */
interface Contents {
  readonly layers: Map<string, StagedLayer>;
  /** Layers that the store has already, as any of its chains: their bytes are passed over. */
  readonly known: Map<string, { readonly diffId: Digest; readonly chain: Digest }>;
  readonly documents: Map<string, string>;
  readonly links: Map<string, string>;
  /** Files that are too large for a document, and their bytes; nobody may need them. */
  readonly large: Map<string, number>;
}

interface Job extends LoadOptions {
  readonly store: ImageAdmitter;
  readonly contents: Contents;
  readonly lease: Lease;
  /** Chains made from staged layers, by the layer's name in the archive. */
  readonly placed: Map<string, Digest>;
}

/** Loads every image of a `docker save` archive or of a tar of an OCI layout, also compressed; all or nothing. */
export async function loadArchive(
  store: ImageAdmitter,
  archive: Readable,
  options: LoadOptions,
): Promise<Image[]> {
  const { snapshots } = store.parts;
  const contents: Contents = {
    layers: new Map(),
    known: new Map(),
    documents: new Map(),
    links: new Map(),
    large: new Map(),
  };
  const lease = snapshots.lease();
  const job: Job = { store, contents, lease, placed: new Map(), ...options };
  let done = false;
  try {
    await readArchive(job, archive);
    const plan = planArchive({ read: (name) => documentOf(contents, name) }, store.parts.platform);
    const ready: { plan: ArchiveImage; config: string }[] = [];
    for (const image of plan) ready.push({ plan: image, config: await placeLayers(job, image) });
    const images: Image[] = [];
    for (const { plan: image, config } of ready) images.push(await admit(job, image, config));
    done = true;
    return images;
  } catch (error) {
    throw options.signal.aborted
      ? new EngineError('cancelled', 'the load was cancelled', { cause: error })
      : error;
  } finally {
    archive.destroy();
    for (const staged of contents.layers.values()) await snapshots.drop(staged);
    lease.release();
    if (!done) await store.sweep();
  }
}

/** A stream with its outer compression taken off, told by its first bytes. */
async function plain(archive: Readable): Promise<Readable> {
  const { head, rest } = await peek(archive);
  const kind = compressionOf(head);
  if (kind === undefined) return rest;
  if (kind !== 'gzip' && kind !== 'zstd') {
    throw new EngineError(
      'invalid',
      `the archive is compressed with ${kind}: decompress it first, or use gzip or zstd`,
    );
  }
  const decompressor = kind === 'gzip' ? createGunzip() : createZstdDecompress();
  rest.once('error', (error) => decompressor.destroy(error));
  decompressor.once('close', () => rest.destroy());
  return rest.pipe(decompressor);
}

async function readArchive(job: Job, archive: Readable): Promise<void> {
  const input = await plain(archive);
  const tar = extract();
  // The loop below throws the error; without a listener it would also end the process.
  tar.on('error', () => undefined);
  input.once('error', (error) => tar.destroy(error));
  job.signal.addEventListener('abort', () => tar.destroy(new Error('aborted')), { once: true });
  input.pipe(tar);
  let entries = 0;
  let documents = 0;
  try {
    for await (const entry of tar) {
      if (++entries > MAX_ENTRIES)
        throw new EngineError(
          'invalid',
          `the archive has more than ${String(MAX_ENTRIES)} entries`,
        );
      documents += await readEntry(job, entry);
      if (documents > MAX_DOCUMENTS_BYTES)
        throw new EngineError('invalid', 'the documents of the archive are too large');
    }
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError('invalid', `the archive cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    input.destroy();
  }
}

/** The text of a document, undefined when the archive has none of that name. */
function documentOf(contents: Contents, name: string): string | undefined {
  const key = follow(contents, name);
  const size = contents.large.get(key);
  if (size === undefined) return contents.documents.get(key);
  throw new EngineError(
    'invalid',
    `the archive's ${name} has ${String(size)} bytes, which is larger than the ${String(LIMITS.configBytes)} that a document may have`,
  );
}

/** Returns the bytes of documents that are now held in memory. */
async function readEntry(job: Job, entry: Entry): Promise<number> {
  const { contents } = job;
  const { type, size, linkname } = entry.header;
  const name = normalise(entry.header.name);
  if (type === 'symlink' || type === 'link') {
    const target = type === 'link' ? linkname : posix.join(posix.dirname(name), linkname);
    contents.links.set(name, normalise(target));
  }
  if (type !== 'file' && type !== 'contiguous-file') {
    entry.resume();
    return 0;
  }
  const { head, rest } = await peek(entry);
  const expected = /^blobs\/sha256\/([a-f0-9]{64})$/.exec(name)?.[1];
  const digest = expected === undefined ? undefined : `sha256:${expected}`;
  const known = digest === undefined ? undefined : find(job.store, digest);
  if (known !== undefined) {
    job.lease.add(known.chain);
    contents.known.set(name, known);
    return drain(rest);
  }
  if (isLayer(head, name)) {
    const before = contents.layers.get(name);
    if (before !== undefined) await job.store.parts.snapshots.drop(before);
    contents.layers.set(name, await stage(job, rest, { size, digest }));
    return 0;
  }
  if (size > LIMITS.configBytes) {
    contents.large.set(name, size);
    return drain(rest);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of rest) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (digest !== undefined && sha256(bytes) !== digest) {
    throw new EngineError(
      'invalid',
      `the archive's ${name} is not what its name says: its digest is ${sha256(bytes)}`,
    );
  }
  contents.documents.set(name, bytes.toString('utf8'));
  return bytes.length;
}

/** A layer of the store whose tar or blob has the digest. */
function find(store: ImageAdmitter, digest: Digest): { diffId: Digest; chain: Digest } | undefined {
  const found = store.parts.snapshots
    .all()
    .find((one) => one.diffId === digest || one.blob?.digest === digest);
  return found === undefined ? undefined : { diffId: found.diffId, chain: found.chainId };
}

async function drain(stream: Readable): Promise<0> {
  stream.resume();
  await finished(stream);
  return 0;
}

async function stage(
  job: Job,
  stream: Readable,
  facts: { size: number; digest: Digest | undefined },
): Promise<StagedLayer> {
  const { onProgress } = job;
  let current = 0;
  let last = 0;
  stream.on('data', (chunk: Buffer) => {
    current += chunk.length;
    const now = performance.now();
    if (now - last < 100 && current < facts.size) return;
    last = now;
    onProgress({
      status: 'Loading layer',
      id: shortId(facts.digest ?? 'sha256:'),
      progressDetail: { current, total: facts.size },
    });
  });
  stream.pause();
  return job.store.parts.snapshots.stage(stream, {
    signal: job.signal,
    ...(facts.digest === undefined ? {} : { expectDigest: facts.digest }),
  });
}

/** Gives an image's layers their places; returns its configuration's text. */
async function placeLayers(job: Job, image: ArchiveImage): Promise<string> {
  const { contents, lease } = job;
  const { snapshots } = job.store.parts;
  const config = documentOf(contents, image.config);
  if (config === undefined)
    throw new EngineError(
      'invalid',
      `the archive has no ${image.config}, which its manifest names`,
    );
  const { rootfs } = parseConfig(config);
  if (rootfs.diff_ids.length !== image.layers.length) {
    throw new EngineError(
      'invalid',
      `${image.config} has ${String(rootfs.diff_ids.length)} layers, the archive's manifest ${String(image.layers.length)}`,
    );
  }
  let parent: Digest | null = null;
  for (const [at, diffId] of rootfs.diff_ids.entries()) {
    const chain: Digest = chainId(parent, diffId);
    lease.add(chain);
    if (snapshots.get(chain) === undefined)
      await placeLayer(job, image.layers[at] ?? '', { parent, diffId, chain });
    parent = chain;
  }
  return config;
}

async function placeLayer(
  job: Job,
  name: string,
  place: { parent: Digest | null; diffId: Digest; chain: Digest },
): Promise<void> {
  const { contents, lease, placed, signal } = job;
  const { blobs, snapshots } = job.store.parts;
  const { parent, diffId, chain } = place;
  const key = follow(contents, name);
  const staged = contents.layers.get(key);
  const known = contents.known.get(key);
  const found = staged?.diffId ?? known?.diffId;
  if (found === undefined)
    throw new EngineError('invalid', `the archive has no layer ${name}, which its manifest names`);
  if (found !== diffId) {
    throw new EngineError(
      'invalid',
      `the archive's layer ${name} has the digest ${found}, its image says ${diffId}`,
    );
  }
  const first = known?.chain ?? placed.get(key);
  if (first === undefined && staged !== undefined) {
    placed.set(key, chain);
    await snapshots.settle(staged, { parent, lease });
    return;
  }
  // The same layer under another parent: it is read back from where it was placed first.
  const source = snapshots.get(first ?? chain);
  if (source === undefined)
    throw new EngineError('internal', `the layer ${diffId} was lost while it was loaded`);
  const again =
    source.blob === null
      ? await snapshots.exportLayer(source.chainId, signal)
      : createReadStream(blobs.path(source.blob.digest));
  await snapshots.importLayer(again, { parent, expectDiffId: diffId, lease, signal });
}

async function admit(job: Job, image: ArchiveImage, text: string): Promise<Image> {
  const { onProgress, store } = job;
  for (const name of image.names) renameOld(job, name, sha256(text));
  const admitted = await store.admit({ config: parseConfig(text), raw: text, names: image.names });
  for (const name of image.names)
    onProgress({ stream: `Loaded image: ${familiarReference(name)}\n` });
  if (image.names.length === 0) onProgress({ stream: `Loaded image ID: ${admitted.id}\n` });
  store.parts.emit({ action: 'load', id: admitted.id, attributes: { name: admitted.id } });
  return admitted;
}

function renameOld(job: Job, name: Reference, id: Digest): void {
  const old = job.store.named(name);
  if (old === undefined || old.id === id) return;
  job.onProgress({
    stream: `The image ${familiarReference(name)} already exists, renaming the old one with ID ${old.id} to empty string\n`,
  });
}

/** Follows the links of an archive (docker's legacy form links equal layers); bounded, for circles. */
function follow(contents: Contents, name: string): string {
  let at = normalise(name);
  for (let hops = 0; hops < 16; hops++) {
    const next = contents.links.get(at);
    if (next === undefined) return at;
    at = next;
  }
  return at;
}

function normalise(name: string): string {
  return posix.normalize(`/${name}`).replace(/^\/+|\/+$/g, '');
}

/** A tar, plain or compressed. An empty layer is a tar of zeros. */
function isLayer(head: Buffer, name: string): boolean {
  if (compressionOf(head) !== undefined || head.toString('latin1', 257, 262) === 'ustar')
    return true;
  return (
    /(?:^|\/)layer\.tar$/.test(name) || (head.length === HEAD && head.every((byte) => byte === 0))
  );
}

function compressionOf(head: Buffer): 'gzip' | 'zstd' | 'bzip2' | 'xz' | undefined {
  const starts = (...bytes: number[]): boolean => bytes.every((byte, at) => head[at] === byte);
  if (starts(0x1f, 0x8b, 0x08)) return 'gzip';
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (starts(0x42, 0x5a, 0x68)) return 'bzip2';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  return undefined;
}

/** The first bytes of a stream, and a stream of all its bytes. */
async function peek(stream: AsyncIterable<unknown>): Promise<{ head: Buffer; rest: Readable }> {
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  let size = 0;
  let ended = false;
  while (size < HEAD && !ended) {
    const next = await iterator.next();
    if (next.done === true) ended = true;
    else {
      const chunk = next.value as Buffer;
      chunks.push(chunk);
      size += chunk.length;
    }
  }
  const first = Buffer.concat(chunks);
  async function* all(): AsyncGenerator<Buffer> {
    try {
      if (first.length > 0) yield first;
      while (!ended) {
        const next = await iterator.next();
        if (next.done === true) ended = true;
        else yield next.value as Buffer;
      }
    } finally {
      if (!ended) await iterator.return?.();
    }
  }
  return {
    head: first.subarray(0, HEAD),
    rest: Readable.from(all(), { objectMode: false, highWaterMark: 256 * 1024 }),
  };
}

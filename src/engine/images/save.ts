/**
 * Owns `docker save`: a tar that is a docker archive (manifest.json, repositories) and an OCI layout at once.
 * Layers stream out uncompressed, so their digests are the diff ids; nothing is spooled.
 */

import { Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import type { Digest } from '../../lib/image/config.ts';
import { hexOf, isDigest } from '../../lib/image/digest.ts';
import { MEDIA } from '../../lib/image/manifest.ts';
import {
  familiarName,
  familiarReference,
  formatReference,
  repositoryOf,
  tryReference,
} from '../../lib/image/reference.ts';
import type { Reference } from '../../lib/image/reference.ts';
import { chainIds, sha256 } from '../storage/digest.ts';
import { blobName } from './archive.ts';
import type { ImageAdmitter } from './store.ts';
import type { Image } from './types.ts';

/** An image with the names under which it goes into the archive. */
interface Wanted {
  readonly image: Image;
  readonly names: Reference[];
}

/** Streams the archive of the named images. Throws not-found before the first byte. */
export function saveArchive(
  store: ImageAdmitter,
  references: readonly string[],
  signal: AbortSignal,
): Readable {
  if (references.length === 0) throw new EngineError('invalid', 'name at least one image to save');
  const wanted = choose(store, references);
  const stream = Readable.from(archive(store, wanted, signal), {
    objectMode: false,
    highWaterMark: 256 * 1024,
  });
  signal.addEventListener(
    'abort',
    () => stream.destroy(new EngineError('cancelled', 'the save was cancelled')),
    { once: true },
  );
  return stream;
}

function choose(store: ImageAdmitter, references: readonly string[]): Wanted[] {
  const wanted = new Map<Digest, Wanted>();
  const add = (image: Image, name: Reference | undefined): void => {
    const entry = wanted.get(image.id) ?? { image, names: [] };
    const known = entry.names.some(
      (other) => name !== undefined && formatReference(other) === formatReference(name),
    );
    if (name !== undefined && !known) entry.names.push(name);
    wanted.set(image.id, entry);
  };
  for (const text of references) {
    const reference = tryReference(text);
    const tags =
      reference === undefined || reference.tag !== undefined || reference.digest !== undefined
        ? []
        : store.tagsOf(repositoryOf(reference));
    for (const name of tags) {
      const image = store.named(name);
      if (image !== undefined) add(image, name);
    }
    if (tags.length > 0) continue;
    const image = store.get(text);
    const named =
      reference?.tag !== undefined &&
      reference.digest === undefined &&
      !isDigest(text) &&
      store.named(reference)?.id === image.id;
    add(image, named ? reference : undefined);
  }
  return [...wanted.values()];
}

async function* archive(
  store: ImageAdmitter,
  wanted: readonly Wanted[],
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { blobs, emit, snapshots } = store.parts;
  const lease = snapshots.lease();
  const written = new Set<Digest>();
  const dockerManifest: Record<string, unknown>[] = [];
  const index: Record<string, unknown>[] = [];
  const repositories: Record<string, Record<string, string>> = {};
  for (const { image } of wanted) if (image.chainId !== null) lease.add(image.chainId);
  try {
    yield folder('blobs/');
    yield folder('blobs/sha256/');
    for (const { image, names } of wanted) {
      const diffIds = image.config.rootfs.diff_ids;
      const layers: { mediaType: string; size: number; digest: Digest }[] = [];
      for (const [at, chain] of chainIds(diffIds).entries()) {
        const diffId = diffIds[at] ?? '';
        const size = snapshots.get(chain)?.diffSize;
        if (size === undefined)
          throw new EngineError(
            'not-found',
            `the layer ${diffId} of ${image.id} is not in the store`,
          );
        layers.push({ mediaType: MEDIA.ociLayer, size, digest: diffId });
        if (written.has(diffId)) continue;
        written.add(diffId);
        yield* layerFile(await snapshots.exportLayer(chain, signal), {
          name: blobName(diffId),
          size,
        });
      }
      const config = await blobs.read(image.id);
      if (!written.has(image.id)) yield file(blobName(image.id), config);
      written.add(image.id);
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MEDIA.ociManifest,
          config: { mediaType: MEDIA.ociConfig, digest: image.id, size: config.length },
          layers,
        }),
      );
      const digest = sha256(manifest);
      yield file(blobName(digest), manifest);
      index.push(
        ...indexEntries(names, { mediaType: MEDIA.ociManifest, digest, size: manifest.length }),
      );
      dockerManifest.push({
        Config: blobName(image.id),
        RepoTags: names.length === 0 ? null : names.map(familiarReference),
        Layers: diffIds.map(blobName),
      });
      for (const name of names) {
        const tags = (repositories[familiarName(name)] ??= {});
        tags[name.tag ?? 'latest'] = hexOf(diffIds.at(-1) ?? image.id);
      }
    }
    yield json('index.json', { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: index });
    yield json('manifest.json', dockerManifest);
    yield json('oci-layout', { imageLayoutVersion: '1.0.0' });
    if (Object.keys(repositories).length > 0) yield json('repositories', repositories);
    yield Buffer.alloc(1024);
    for (const { image } of wanted)
      emit({ action: 'save', id: image.id, attributes: { name: image.id } });
  } finally {
    lease.release();
  }
}

function indexEntries(
  names: readonly Reference[],
  descriptor: Record<string, unknown>,
): Record<string, unknown>[] {
  if (names.length === 0) return [descriptor];
  return names.map((name) => ({
    ...descriptor,
    annotations: {
      'io.containerd.image.name': formatReference(name),
      'org.opencontainers.image.ref.name': name.tag ?? 'latest',
    },
  }));
}

async function* layerFile(
  stream: Readable,
  facts: { name: string; size: number },
): AsyncGenerator<Buffer> {
  yield tarHeader(facts.name, { size: facts.size, type: '0', mode: 0o644 });
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > facts.size) break;
    yield chunk;
  }
  if (size !== facts.size)
    throw new EngineError('internal', `the layer ${facts.name} has another size than recorded`);
  yield padding(size);
}

function json(name: string, value: unknown): Buffer {
  return file(name, Buffer.from(JSON.stringify(value)));
}

function file(name: string, data: Buffer): Buffer {
  return Buffer.concat([
    tarHeader(name, { size: data.length, type: '0', mode: 0o644 }),
    data,
    padding(data.length),
  ]);
}

function folder(name: string): Buffer {
  return tarHeader(name, { size: 0, type: '5', mode: 0o755 });
}

function padding(size: number): Buffer {
  return Buffer.alloc((512 - (size % 512)) % 512);
}

/** One ustar header (POSIX.1-2017, pax); sizes from 8 GiB on in GNU's base-256 form. Names here are short. */
function tarHeader(name: string, facts: { size: number; type: '0' | '5'; mode: number }): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100, 'utf8');
  block.write(octal(facts.mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  if (facts.size < 8 ** 11) block.write(octal(facts.size, 11), 124);
  else {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(facts.size), 128);
  }
  block.write(octal(0, 11), 136);
  block.fill(' ', 148, 156);
  block.write(facts.type, 156);
  block.write('ustar\x0000', 257);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

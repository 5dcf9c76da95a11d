/**
 * Owns `docker push`: which blobs and which manifest an image is in a registry. Layers that were pulled go back byte for byte,
 * layers made here are compressed once and kept; so the same image is pushed with the same digests every time.
 */

import { EngineError } from '../../lib/errors.ts';
import type { Digest, Manifest } from '../../lib/image/config.ts';
import { shortId } from '../../lib/image/digest.ts';
import { MEDIA, parseManifest } from '../../lib/image/manifest.ts';
import {
  familiarReference,
  formatReference,
  parseReference,
  repositoryOf,
  tryReference,
} from '../../lib/image/reference.ts';
import type { Reference } from '../../lib/image/reference.ts';
import { inTurns } from '../../lib/turns.ts';
import { chainIds, sha256 } from '../storage/digest.ts';
import type { ImageAdmitter } from './store.ts';
import { paced, PARALLEL } from './transport.ts';
import type { TransportLimits } from './transport.ts';
import type { Image, Progress, PushOptions } from './types.ts';
import { Uploads } from './uploads.ts';

interface Job {
  readonly store: ImageAdmitter;
  readonly uploads: Uploads;
  readonly reference: Reference;
  readonly report: (line: Progress) => void;
  readonly signal: AbortSignal;
}

/** A layer as the registry gets it. */
interface Layer {
  readonly id: string;
  readonly chainId: Digest;
  readonly descriptor: {
    readonly mediaType: string;
    readonly digest: Digest;
    readonly size: number;
  };
}

/** Pushes one tag, or with `tag` undefined every tag that the repository has here. Progress lines are those of Docker. */
export async function pushImage(
  store: ImageAdmitter,
  text: string,
  options: PushOptions & { readonly limits?: Partial<TransportLimits> },
): Promise<void> {
  const { tag } = options;
  const named = parseReference(tag === undefined ? text : `${text}:${tag}`);
  if (named.digest !== undefined)
    throw new EngineError('invalid', 'cannot push a digest reference');
  const references = named.tag === undefined ? store.tagsOf(repositoryOf(named)) : [named];
  const images = references.map((reference) => ({ reference, image: store.named(reference) }));
  const [first] = images;
  if (first === undefined || images.some(({ image }) => image === undefined)) {
    throw new EngineError(
      'not-found',
      `An image does not exist locally with the tag: ${familiarReference(named)}`,
    );
  }
  const uploads = new Uploads(named, {
    config: store.parts.registry,
    signal: options.signal,
    ...(options.auth === undefined ? {} : { auth: options.auth }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const shown = formatReference({ ...named, tag: undefined });
  options.onProgress({ status: `The push refers to repository [${shown}]` });
  const lease = store.parts.snapshots.lease();
  try {
    await uploads.open();
    for (const { reference, image } of images) {
      if (image === undefined) continue;
      if (image.chainId !== null) lease.add(image.chainId);
      const { onProgress: report, signal } = options;
      await pushOne(image, { store, uploads, reference, report, signal });
    }
  } catch (error) {
    throw options.signal.aborted
      ? new EngineError('cancelled', `the push of ${familiarReference(named)} was cancelled`, {
          cause: error,
        })
      : error;
  } finally {
    lease.release();
    await uploads.close();
  }
}

async function pushOne(image: Image, job: Job): Promise<void> {
  const { store, uploads, reference, report } = job;
  const { blobs, emit } = store.parts;
  const diffIds = image.config.rootfs.diff_ids;
  const chains = chainIds(diffIds);
  for (const diffId of diffIds)
    report({ id: shortId(diffId), status: 'Preparing', progressDetail: {} });
  const layers: Layer[] = [];
  const from = repositoriesOf(image, reference);
  const kept = await keptManifest(image, { chains, from, job });
  // Compressing uses all the processors that there are by itself, sending waits for the network: a few at a time.
  await inTurns(PARALLEL, chains, async (chainId, at) => {
    const id = shortId(diffIds[at] ?? '');
    const descriptor =
      kept?.manifest.layers[at] ?? (await store.parts.snapshots.compressed(chainId, job.signal));
    const layer = { id, chainId, descriptor };
    layers[at] = layer;
    await pushLayer(layer, from, job);
  });
  const config = await blobs.read(image.id);
  const bytes = kept?.bytes ?? manifestOf(image, config.length, layers);
  const mediaType = kept?.mediaType ?? MEDIA.dockerManifest;
  await uploads.blob({
    digest: image.id,
    size: config.length,
    file: blobs.path(image.id),
    from,
    onBytes: () => undefined,
  });
  const tag = reference.tag ?? 'latest';
  await uploads.manifest(tag, bytes, mediaType);
  const digest = sha256(bytes);
  await store.admit({
    config: image.config,
    raw: config,
    names: [{ ...reference, tag: undefined, digest }],
    ...(image.parent === '' ? {} : { parent: image.parent }),
    manifest: { bytes, mediaType, digest },
  });
  emit({
    action: 'push',
    id: familiarReference(reference),
    attributes: { name: familiarReference({ ...reference, tag: undefined }) },
  });
  report({ status: `${tag}: digest: ${digest} size: ${String(bytes.length)}` });
  report({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: bytes.length } });
}

async function pushLayer(layer: Layer, from: readonly string[], job: Job): Promise<void> {
  const { report, uploads, store } = job;
  const { digest, size } = layer.descriptor;
  const upload = {
    digest,
    size,
    file: store.parts.blobs.path(digest),
    from,
    onBytes: paced(size, (current) =>
      report({ id: layer.id, status: 'Pushing', progressDetail: { current, total: size } }),
    ),
  };
  const { blobs } = store.parts;
  // A layer of the manifest that the image came with may be there without being here.
  const uploaded = blobs.has(digest) ? await uploads.blob(upload) : await uploads.present(upload);
  if (uploaded === undefined)
    throw new EngineError('unavailable', `the registry lost the layer ${digest}: push again`);
  const status = {
    exists: 'Layer already exists',
    sent: 'Pushed',
    mounted: `Mounted from ${uploaded.kind === 'mounted' ? uploaded.from : ''}`,
  }[uploaded.kind];
  report({ id: layer.id, status, progressDetail: {} });
}

/** The manifest that the image came with, when every layer of it is still here as it came, or in the registry already. */
async function keptManifest(
  image: Image,
  { chains, from, job }: { chains: readonly Digest[]; from: readonly string[]; job: Job },
): Promise<{ bytes: Buffer; mediaType: string; manifest: Manifest } | undefined> {
  const { store, uploads } = job;
  const raw = store.manifestOf(image.id);
  if (raw === undefined) return undefined;
  const document = parseManifest(raw.bytes.toString('utf8'), raw.mediaType);
  if (document.kind !== 'manifest') return undefined;
  const { manifest } = document;
  if (manifest.config.digest !== image.id || manifest.layers.length !== chains.length)
    return undefined;
  for (const { digest } of manifest.layers) {
    if (store.parts.blobs.has(digest)) continue;
    if ((await uploads.present({ digest, from })) === undefined) return undefined;
  }
  return { ...raw, manifest };
}

function manifestOf(image: Image, configSize: number, layers: readonly Layer[]): Buffer {
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.dockerManifest,
    config: { mediaType: MEDIA.dockerConfig, size: configSize, digest: image.id },
    layers: layers.map(({ descriptor: { size, digest } }) => ({
      mediaType: MEDIA.dockerLayerGzip,
      size,
      digest,
    })),
  };
  // Docker's own form, byte for byte: the digest is the same as when Docker pushes these blobs.
  return Buffer.from(JSON.stringify(manifest, undefined, 3));
}

/** Where else in the same registry the image's layers are known to be. */
function repositoriesOf(image: Image, reference: Reference): string[] {
  const paths = image.digests.flatMap((name) => {
    const other = tryReference(name);
    const elsewhere =
      other !== undefined && other.domain === reference.domain && other.path !== reference.path;
    return elsewhere ? [other.path] : [];
  });
  return [...new Set(paths)];
}

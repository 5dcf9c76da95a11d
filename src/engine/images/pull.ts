/**
 * Owns `docker pull`: choosing the manifest for a platform, fetching layers side by side straight into the helper
 * that unpacks and verifies them, and naming the result. It keeps nothing of a pull that fails or is cancelled.
 */

import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import type { Descriptor, Digest, Manifest, Platform } from '../../lib/image/config.ts';
import { shortId } from '../../lib/image/digest.ts';
import { parseConfig, parseManifest } from '../../lib/image/manifest.ts';
import {
  formatPlatform,
  parsePlatform,
  platformMatches,
  selectManifest,
} from '../../lib/image/platform.ts';
import { familiarReference, parseReference, withDefaultTag } from '../../lib/image/reference.ts';
import type { Reference } from '../../lib/image/reference.ts';
import { slots } from '../../lib/turns.ts';
import type { Slot } from '../../lib/turns.ts';
import { chainIds } from '../storage/digest.ts';
import type { Lease } from '../storage/types.ts';
import { openRepository } from './registry.ts';
import type { RawManifest, Repository } from './registry.ts';
import type { ImageAdmitter } from './store.ts';
import { paced, PARALLEL } from './transport.ts';
import type { TransportLimits } from './transport.ts';
import type { Image, Progress, PullOptions } from './types.ts';

interface Job {
  readonly store: ImageAdmitter;
  readonly repository: Repository;
  readonly report: (line: Progress) => void;
  readonly lease: Lease;
  /** Aborted by the caller or by the first layer that fails. */
  readonly signal: AbortSignal;
  readonly slot: Slot;
}

interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly chainId: Digest;
  readonly parent: Digest | null;
}

/** Pulls an image and names it. Progress lines are those of Docker. */
export async function pullImage(
  store: ImageAdmitter,
  text: string,
  options: PullOptions & { readonly limits?: Partial<TransportLimits> },
): Promise<Image> {
  const reference = withDefaultTag(parseReference(text));
  const { platform: host, registry: config, snapshots, emit } = store.parts;
  const platform =
    options.platform === undefined || options.platform === ''
      ? undefined
      : parsePlatform(options.platform, host);
  const failing = new AbortController();
  const signal = AbortSignal.any([options.signal, failing.signal]);
  signal.throwIfAborted();
  const repository = openRepository(reference, {
    config,
    signal,
    ...(options.auth === undefined ? {} : { auth: options.auth }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const lease = snapshots.lease();
  const before = store.named(reference);
  try {
    const chosen = await chooseManifest(repository, reference, platform ?? host);
    const { manifest, digest } = chosen;
    options.onProgress({
      status: `Pulling from ${reference.path}`,
      id: reference.digest ?? reference.tag ?? 'latest',
    });
    const raw = await repository.document(manifest.config);
    const image = parseConfig(raw.toString('utf8'));
    checkPlatform(image, platform, familiarReference(reference));
    const layers = planLayers(manifest, image.rootfs.diff_ids);
    const job = {
      store,
      repository,
      lease,
      signal,
      report: options.onProgress,
      slot: slots(PARALLEL),
    };
    await fetchLayers(job, layers, failing);
    const names: Reference[] = [{ ...reference, tag: undefined, digest }];
    if (reference.digest === undefined) names.push(reference);
    const admitted = await store.admit({ config: image, raw, names, manifest: chosen.raw });
    emit({
      action: 'pull',
      id: familiarReference(reference),
      attributes: { name: familiarReference({ ...reference, tag: undefined, digest: undefined }) },
    });
    const shown = familiarReference(reference);
    options.onProgress({ status: `Digest: ${digest}` });
    options.onProgress({
      status:
        before?.id === admitted.id
          ? `Status: Image is up to date for ${shown}`
          : `Status: Downloaded newer image for ${shown}`,
    });
    return admitted;
  } catch (error) {
    lease.release();
    await store.sweep();
    throw options.signal.aborted
      ? new EngineError('cancelled', `the pull of ${familiarReference(reference)} was cancelled`, {
          cause: error,
        })
      : error;
  } finally {
    lease.release();
    await repository.close();
  }
}

/** The manifest to use, and the digest by which the reference is known (that of the index when there is one). */
async function chooseManifest(
  repository: Repository,
  reference: Reference,
  platform: Platform,
): Promise<{ manifest: Manifest; raw: RawManifest; digest: Digest }> {
  const top = await repository.manifest(reference.digest ?? reference.tag ?? 'latest');
  let raw: RawManifest = top;
  for (let depth = 0; depth < 3; depth++) {
    const document = parseManifest(raw.bytes.toString('utf8'), raw.mediaType);
    if (document.kind === 'manifest')
      return { manifest: document.manifest, raw, digest: top.digest };
    const entry = selectManifest(document.index, platform);
    if (entry === undefined) {
      const offered = document.index.manifests
        .flatMap((one) =>
          one.platform === undefined || one.platform.os === 'unknown'
            ? []
            : [formatPlatform(one.platform)],
        )
        .slice(0, 20)
        .join(', ');
      throw new EngineError(
        'not-found',
        `no matching manifest for ${formatPlatform(platform)} in the manifest list entries: ${familiarReference(reference)} is offered for ${offered === '' ? 'no platform' : offered}`,
      );
    }
    raw = await repository.manifest(entry.digest);
  }
  throw new EngineError(
    'invalid',
    `the index of ${familiarReference(reference)} leads to further indexes without end`,
  );
}

/** An image for another platform than the one that was asked for is refused, as Docker does. */
function checkPlatform(image: Platform, wanted: Platform | undefined, name: string): void {
  if (wanted === undefined || image.os === '' || platformMatches(wanted, image)) return;
  throw new EngineError(
    'not-found',
    `image with reference ${name} was found but does not provide the specified platform (${formatPlatform(wanted)})`,
  );
}

function planLayers(manifest: Manifest, diffIds: readonly Digest[]): Layer[] {
  if (manifest.layers.length !== diffIds.length) {
    throw new EngineError(
      'invalid',
      `the manifest has ${String(manifest.layers.length)} layers, the configuration ${String(diffIds.length)}`,
    );
  }
  const chain = chainIds(diffIds);
  return manifest.layers.map((descriptor, at) => ({
    descriptor,
    diffId: diffIds[at] ?? '',
    chainId: chain[at] ?? '',
    parent: at === 0 ? null : (chain[at - 1] ?? null),
  }));
}

/** All layers at once, few at a time on the wire, each in its place after the one below; the first failure stops all. */
async function fetchLayers(
  job: Job,
  layers: readonly Layer[],
  failing: AbortController,
): Promise<void> {
  const missing = new Set(layers.filter((layer) => !present(job, layer)));
  for (const layer of layers) {
    job.report({
      id: shortId(layer.descriptor.digest),
      status: missing.has(layer) ? 'Pulling fs layer' : 'Already exists',
      progressDetail: {},
    });
  }
  let below: Promise<void> = Promise.resolve();
  const running: Promise<void>[] = [];
  for (const layer of layers) {
    if (!missing.has(layer)) continue;
    below = fetchLayer(job, layer, below);
    below.catch((error: unknown) => failing.abort(error));
    running.push(below);
  }
  const ends = await Promise.allSettled(running);
  const failed = ends.filter((end) => end.status === 'rejected').map((end): unknown => end.reason);
  const cause = failing.signal.aborted ? (failing.signal.reason as unknown) : failed[0];
  if (failed.length > 0) throw cause;
}

function present(job: Job, layer: Layer): boolean {
  job.lease.add(layer.chainId);
  return job.store.parts.snapshots.get(layer.chainId) !== undefined;
}

/** Fetches one layer, or waits for another pull that is at it already and takes over when that one fails. */
async function fetchLayer(job: Job, layer: Layer, below: Promise<void>): Promise<void> {
  const { inFlight } = job.store;
  for (;;) {
    const other = inFlight.get(layer.chainId);
    if (other === undefined) break;
    await Promise.race([other.catch(() => undefined), aborted(job.signal)]);
    job.signal.throwIfAborted();
    if (present(job, layer)) {
      complete(job, layer);
      return;
    }
  }
  const own = fetchOwn(job, layer, below);
  inFlight.set(layer.chainId, own);
  try {
    await own;
  } finally {
    inFlight.delete(layer.chainId);
  }
  complete(job, layer);
}

async function fetchOwn(job: Job, layer: Layer, below: Promise<void>): Promise<void> {
  const { snapshots } = job.store.parts;
  const staged = await job.slot(() => {
    job.signal.throwIfAborted();
    return snapshots.stage(source(job, layer), {
      expectDigest: layer.descriptor.digest,
      expectDiffId: layer.diffId,
      signal: job.signal,
    });
  });
  try {
    job.report({
      id: shortId(layer.descriptor.digest),
      status: 'Download complete',
      progressDetail: {},
    });
    await below;
    await snapshots.settle(staged, { parent: layer.parent, lease: job.lease });
  } catch (error) {
    await snapshots.drop(staged);
    throw error;
  }
}

/** The layer's bytes: from the store when the same blob is there under another parent, else from the registry. */
function source(job: Job, layer: Layer): Readable {
  const { blobs } = job.store.parts;
  const { digest, size } = layer.descriptor;
  if (blobs.has(digest)) return createReadStream(blobs.path(digest), { highWaterMark: 256 * 1024 });
  const id = shortId(digest);
  const told = paced(size, (current) =>
    job.report({ id, status: 'Downloading', progressDetail: { current, total: size } }),
  );
  return job.repository.blob(layer.descriptor, told);
}

function complete(job: Job, layer: Layer): void {
  job.report({ id: shortId(layer.descriptor.digest), status: 'Pull complete', progressDetail: {} });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}

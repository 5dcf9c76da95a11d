/**
 * The image builder: takes a context and options, fetches what the Dockerfile stands on, plans, executes, and names the
 * result. Owns a build's folder and lease from the first byte to the last, in every outcome.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ResourceLimits } from '../../lib/api/containers.ts';
import type { Dockerfile } from '../../lib/dockerfile/syntax.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Platform } from '../../lib/image/config.ts';
import {
  formatPlatform,
  parsePlatform,
  platformMatches,
  platformOf,
} from '../../lib/image/platform.ts';
import {
  familiarReference,
  parseReference,
  tryReference,
  withDefaultTag,
} from '../../lib/image/reference.ts';
import { slots } from '../../lib/turns.ts';
import type { Image, ImageStore, RegistryAuth } from '../images/types.ts';
import type { SpecHost } from '../runtime/spec.ts';
import type { Native, Runtime } from '../runtime/types.ts';
import type { Database, Lease, Places, SnapshotStore } from '../storage/types.ts';
import { openCache } from './cache.ts';
import { openContext } from './context.ts';
import { executeGraph, imageConfig, type StageResult } from './execute.ts';
import { hashContext } from './files.ts';
import type { Graph, ImageWant } from './plan/graph.ts';
import { createCacheMounts } from './mounts.ts';
import { createOutput } from './output.ts';
import { imageKey, planBuild, problemMessage, type BaseImage } from './plan/plan.ts';
import { openRecords, type BuildRecords, type BuildTrace } from './records/recorder.ts';
import { forecast } from './records/forecast.ts';
import { parseNetwork, removeBuilt, unusedRows } from './results.ts';
import type { BuildParts } from './steps.ts';
import type { Builder, BuildMessage, BuildOptions, StepNetworks } from './types.ts';

export interface BuilderParts {
  readonly database: Database;
  readonly places: Places;
  readonly images: ImageStore;
  readonly snapshots: SnapshotStore;
  readonly runtime: Runtime;
  readonly native: Native;
  readonly host: SpecHost;
  readonly stepNetworks: StepNetworks;
  readonly events: {
    emit(
      type: 'builder',
      action: string,
      actor: { ID: string; Attributes: Record<string, string> },
    ): void;
  };
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly warn: (message: string) => void;
}

export interface EngineBuilder extends Builder {
  /** Clears what a killed engine's builds left running; call it once at start-up, before any build. */
  reconcileBuilds(): Promise<void>;
  /** Waits until the folders of finished builds are gone; what a killed engine leaves of them goes at the next start. */
  close(): Promise<void>;
}

type BuildIo = Parameters<Builder['build']>[2];

export function createBuilder(parts: BuilderParts): EngineBuilder {
  const { database, places, images, snapshots, runtime, native, host, events, clock } = parts;
  const cache = openCache(database, clock);
  const records = openRecords(database, { now: clock, warn: parts.warn });
  const mounts = createCacheMounts({ root: join(places.dataRoot, 'build', 'mounts'), native });
  const shared: BuildParts = {
    places,
    snapshots,
    runtime,
    native,
    host,
    networks: parts.stepNetworks,
    cache,
    mounts,
    flights: new Map(),
    slot: slots(availableParallelism()),
    now: clock,
  };
  const removals = new Set<Promise<void>>();
  const discard = (dir: string): void => {
    const removal = removeBuilt(native, dir).finally(() => removals.delete(removal));
    removals.add(removal);
  };
  return {
    build: (context, options, io) =>
      build({ context, options, io, parts, shared, discard, records }),
    records,
    forecast: (request) => forecast(request, { cache, records, images, snapshots }),
    async close() {
      await Promise.all(removals);
    },
    neededChains: () => cache.chains(),
    async prune({ all }) {
      const rows = all ? cache.rows() : unusedRows(cache.rows(), images.list(), snapshots);
      cache.flush();
      cache.remove(rows.map(({ key }) => key));
      const freed = (await mounts.prune()) + (await images.sweep());
      events.emit('builder', 'prune', { ID: '', Attributes: { reclaimed: String(freed) } });
      return { CachesDeleted: rows.map(({ key }) => key), SpaceReclaimed: freed };
    },
    async reconcileBuilds() {
      const left = (await readdir(places.shimsDir)).filter((name) => name.startsWith('build-'));
      await Promise.all(left.map((name) => runtime.clear(join(places.shimsDir, name))));
    },
  };
}

interface Build {
  /** Removes a build's folder without making the client wait: the file system may take its time over many files. */
  readonly discard: (dir: string) => void;
  readonly context: Readable;
  readonly options: BuildOptions;
  readonly io: BuildIo;
  readonly parts: BuilderParts;
  readonly shared: BuildParts;
  readonly records: BuildRecords;
}

async function build(job: Build): Promise<string> {
  const { options, io, parts } = job;
  const { places, snapshots } = parts;
  const tags = options.tags.map((tag) => familiarReference(withDefaultTag(parseReference(tag))));
  const settings = checkOptions(options);
  const id = randomBytes(6).toString('hex');
  const dir = join(places.tmpDir, `build-${id}`);
  const lease = snapshots.lease();
  const platform =
    settings.targetPlatform === ''
      ? formatPlatform(settings.buildPlatform)
      : settings.targetPlatform;
  const trace = job.records.begin(id, { ...options, tags }, platform);
  try {
    await mkdir(dir, { mode: 0o700 });
    const image = await work(job, { id, dir, lease, settings, tags, trace });
    trace.finish({ image });
    announce(parts, id, { status: 'succeeded', image });
    return image;
  } catch (error) {
    trace.finish({ error: io.signal.aborted ? cancelled(io.signal) : error });
    announce(parts, id, { status: io.signal.aborted ? 'cancelled' : 'failed' });
    throw error;
  } finally {
    lease.release();
    job.context.destroy();
    job.discard(dir);
    // Last: on a full disk it throws, and the steps above must not be left out for that.
    job.shared.cache.flush();
  }
}

/** Whoever shows builds looks at the records again. */
function announce({ events }: BuilderParts, id: string, facts: Record<string, string>): void {
  events.emit('builder', 'build', { ID: id, Attributes: facts });
}

function cancelled(signal: AbortSignal): EngineError {
  return new EngineError('cancelled', 'the build was cancelled', { cause: signal.reason });
}

interface Begun {
  readonly id: string;
  readonly dir: string;
  readonly lease: Lease;
  readonly settings: Settings;
  readonly tags: readonly string[];
  readonly trace: BuildTrace;
}

/** From the context's first byte to the image's name; resolves to its id. */
async function work(job: Build, begun: Begun): Promise<string> {
  const { options, io, parts, shared } = job;
  const { id, dir, lease, settings, tags, trace } = begun;
  const { native } = parts;
  const context = await openContext(job.context, {
    dir,
    dockerfile: options.dockerfile,
    native,
    signal: io.signal,
  });
  const { graph, images } = await planAll(context.file, { job, settings, lease });
  trace.planned(graph);
  const output = createOutput(io.write, {
    order: graph.stages.map(({ index }) => index),
    quiet: options.quiet,
  });
  const hash = hashContext(graph, { context, native, signal: io.signal });
  let count = 0;
  const limits = options.resources as ResourceLimits;
  const { noCache, shmSize, extraHosts } = options;
  const run = {
    id,
    context,
    hash,
    lease,
    noCache,
    done: new Map(),
    limits,
    shmSize,
    extraHosts,
    networkMode: options.networkMode,
    trace,
    next: () => ++count,
  };
  const result = await executeGraph({
    graph,
    images,
    output,
    parts: shared,
    run,
    signal: io.signal,
  });
  if (graph.unusedArgs.length > 0)
    output.text(
      `[Warning] One or more build-args [${graph.unusedArgs.join(' ')}] were not consumed\n`,
    );
  // What cannot be kept fails the build before it gets a name.
  shared.cache.flush();
  const image = await publish(result, { images, tags, store: parts.images });
  output.finish(image, tags);
  return image;
}

interface Settings {
  readonly buildPlatform: Platform;
  readonly targetPlatform: string;
  readonly network: 'default' | 'none' | 'host';
}

function checkOptions(options: BuildOptions): Settings {
  if (options.squash)
    throw new EngineError(
      'not-implemented',
      '--squash is not implemented: use a multi-stage build to keep layers few',
    );
  const buildPlatform = platformOf(process.arch);
  const targetPlatform =
    options.platform === '' ? '' : formatPlatform(parsePlatform(options.platform, buildPlatform));
  return { buildPlatform, targetPlatform, network: parseNetwork(options.networkMode) };
}

/** Plans, and fetches the images that the plan asks for, until it is a graph. */
async function planAll(
  file: Dockerfile,
  { job, settings, lease }: { job: Build; settings: Settings; lease: Lease },
): Promise<{ graph: Graph; images: Map<string, Image> }> {
  const { options } = job;
  const images = new Map<string, Image>();
  const bases = new Map<string, BaseImage>();
  for (;;) {
    const plan = planBuild({
      file,
      buildArgs: options.buildArgs,
      labels: options.labels,
      target: options.target,
      buildPlatform: formatPlatform(settings.buildPlatform),
      targetPlatform: settings.targetPlatform,
      network: settings.network,
      images: bases,
    });
    if (plan.kind === 'graph') return { graph: plan.graph, images };
    if (plan.kind === 'no-target') throw new EngineError('invalid', plan.message);
    if (plan.kind === 'invalid')
      throw new EngineError(
        plan.unsupported ? 'not-implemented' : 'invalid',
        problemMessage(plan.problems),
      );
    await Promise.all(
      plan.images.map(async (want) => {
        const image = await fetchImage(want, { job, settings });
        if (image.chainId !== null) lease.add(image.chainId);
        const { config, author } = image.config;
        images.set(imageKey(want), image);
        bases.set(imageKey(want), {
          config: config ?? {},
          author,
          platform: formatPlatform(image.config),
        });
      }),
    );
  }
}

/** The local image when it fits the platform and no fresh one is asked for, else a pulled one. */
async function fetchImage(
  want: ImageWant,
  { job, settings }: { job: Build; settings: Settings },
): Promise<Image> {
  const { options, io, parts } = job;
  const { images } = parts;
  const platform = parsePlatform(want.platform, settings.buildPlatform);
  const local = images.find(want.ref);
  const fits = local !== undefined && platformMatches(platform, local.config);
  if (fits && !options.pull) return local;
  const byId = local !== undefined && tryReference(want.ref) === undefined;
  if (fits && byId) return local;
  const auth = authFor(want.ref, options.auths);
  return images.pull(want.ref, {
    platform: want.platform,
    ...(auth === undefined ? {} : { auth }),
    onProgress: (line) => {
      if (!options.quiet) io.write(line as BuildMessage);
    },
    signal: io.signal,
  });
}

/** The credentials for an image's registry; Docker Hub's are kept under its old address. */
function authFor(ref: string, auths: BuildOptions['auths']): RegistryAuth | undefined {
  const reference = tryReference(ref);
  if (reference === undefined) return undefined;
  const { domain } = reference;
  const hub = [
    'https://index.docker.io/v1/',
    'index.docker.io',
    'docker.io',
    'registry-1.docker.io',
  ];
  const names =
    domain === 'docker.io'
      ? hub
      : [domain, `https://${domain}`, `http://${domain}`, `https://${domain}/`];
  const name = names.find((key) => Object.hasOwn(auths, key));
  return name === undefined ? undefined : auths[name];
}

/** Stores and names the image. A Dockerfile of FROM alone gives its base another name, as Docker does. */
async function publish(
  result: StageResult,
  {
    images,
    tags,
    store,
  }: { images: ReadonlyMap<string, Image>; tags: readonly string[]; store: ImageStore },
): Promise<string> {
  const { base, steps } = result.plan;
  if (steps.length === 0 && base.kind === 'scratch')
    throw new EngineError('invalid', 'No image was generated. Is your Dockerfile empty?');
  const plain =
    steps.length === 0 && base.kind === 'image' ? images.get(imageKey(base)) : undefined;
  if (plain === undefined) return (await store.create(imageConfig(result), { tags })).id;
  for (const tag of tags) await store.tag(plain.id, tag);
  return plain.id;
}

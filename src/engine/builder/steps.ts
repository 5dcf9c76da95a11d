/**
 * One step of a stage: its cache key, the cached result when there is one, else the work. Identical steps of builds
 * under way are done once. Owns the draft of a step from its making to its commit or its end.
 */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResourceLimits } from '../../lib/api/containers.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import { shortId } from '../../lib/image/digest.ts';
import type { Slot } from '../../lib/turns.ts';
import type { SpecHost } from '../runtime/spec.ts';
import type { Native, Root, Runtime } from '../runtime/types.ts';
import type { Draft, Lease, Places, SnapshotStore } from '../storage/types.ts';
import { abortable } from './abortable.ts';
import type { BuildCache, CacheRow } from './cache.ts';
import { resolveInside, type BuildContext } from './context.ts';
import { copyFiles, isUnchanged, makeWorkdir, type ContentHash } from './files.ts';
import type { RunAction, RunMount, Source, Step } from './plan/graph.ts';
import { hashParts, type Key } from './keys.ts';
import type { CacheMounts } from './mounts.ts';
import type { StageOutput } from './output.ts';
import type { BuildTrace, StepTrace } from './records/recorder.ts';
import { keyOf, type FileAction } from './step-keys.ts';
import type { StepNetworks } from './types.ts';
import { exitError, runCommand, startError, type PreparedMount } from './run.ts';

/** A step that took longer is written to the database at once, so that a killed engine need not repeat it. */
const KEEP_AT_ONCE_MS = 200;

/** What the builder's builds share. */
export interface BuildParts {
  readonly places: Places;
  readonly snapshots: SnapshotStore;
  readonly runtime: Runtime;
  readonly native: Native;
  readonly host: SpecHost;
  readonly networks: StepNetworks;
  readonly cache: BuildCache;
  readonly mounts: CacheMounts;
  /** Steps that are being done now, by key. */
  readonly flights: Map<Key, Promise<CacheRow>>;
  /** A processor: as many steps as there are of them are done at a time, over all builds. */
  readonly slot: Slot;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One build. */
export interface BuildRun {
  readonly id: string;
  readonly context: BuildContext;
  readonly hash: ContentHash;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  readonly noCache: boolean;
  /** Steps that this build does or has done: even without the cache, a step that two stages share is done once. */
  readonly done: Map<Key, Promise<CacheRow>>;
  readonly limits: ResourceLimits;
  readonly shmSize: number;
  readonly extraHosts: readonly string[];
  /** What `default` means to this build's steps. */
  readonly networkMode: string;
  /** The tree of a stage (when it is built) or an image; null: empty. */
  readonly chainOf: (source: Exclude<Source, { kind: 'context' }>) => Promise<string | null>;
  readonly trace: BuildTrace;
  /** A number that no other step of the build has. */
  readonly next: () => number;
}

/** Where a stage stands. */
export interface Position {
  readonly fileKey: Key;
  readonly chainId: string | null;
}

export interface StepResult {
  readonly position: Position;
  readonly created: string;
}

/** What a step works with. */
export interface StepIo {
  readonly parts: BuildParts;
  readonly run: BuildRun;
  readonly out: StageOutput;
  readonly trace: StepTrace;
}

/** Does a step that touches files, or takes its result from the cache. */
export async function fileStep(
  step: Step & { action: FileAction },
  at: Position,
  io: StepIo,
): Promise<StepResult> {
  const { parts, run, out, trace } = io;
  const { key, inputs } = await keyOf(step.action, at, io);
  trace.keyed(key, at.fileKey, inputs);
  const begun = run.noCache ? run.done : parts.flights;
  // Asked again after each wait: another stage may have begun the step meanwhile.
  do {
    const row = run.noCache ? await run.done.get(key) : await cachedRow(key, at, { parts, run });
    if (row !== undefined) {
      out.text(' ---> Using cache\n');
      parts.cache.touch(key);
      trace.cached(row);
      return settle(row, run);
    }
  } while (begun.has(key));
  trace.missed();
  const work = perform(step, key, at, io);
  run.done.set(key, work);
  parts.flights.set(key, work);
  work.catch(() => undefined);
  try {
    const row = await work;
    trace.ran(row);
    return settle(row, run);
  } finally {
    if (parts.flights.get(key) === work) parts.flights.delete(key);
  }
}

function settle(row: CacheRow, run: BuildRun): StepResult {
  if (row.chainId !== null) run.lease.add(row.chainId);
  return { position: { fileKey: row.key, chainId: row.chainId }, created: row.created };
}

/** A usable row, also one that another build is making right now; a failure there is not ours. */
async function cachedRow(
  key: Key,
  at: Position,
  { parts, run }: { parts: BuildParts; run: BuildRun },
): Promise<CacheRow | undefined> {
  for (let flight = parts.flights.get(key); flight !== undefined; flight = parts.flights.get(key)) {
    const row = await abortable(flight, run.signal).catch(() => undefined);
    run.signal.throwIfAborted();
    if (row !== undefined) break;
  }
  const row = parts.cache.get(key);
  return row !== undefined && fits(row, at, parts.snapshots) ? row : undefined;
}

/** A row counts when its snapshot is there and stands on the very tree at hand (a rebuild may have changed that). */
export function fits(row: CacheRow, at: Position, snapshots: SnapshotStore): boolean {
  if (row.chainId === at.chainId) return true;
  if (row.chainId === null) return false;
  const snapshot = snapshots.get(row.chainId);
  return snapshot !== undefined && snapshot.parent === at.chainId;
}

interface Work {
  readonly draft: Draft;
  readonly parts: BuildParts;
  readonly run: BuildRun;
  readonly out: StageOutput;
  readonly trace: StepTrace;
  /** A folder of this step's own; not made yet. */
  readonly dir: string;
}

async function perform(
  step: Step & { action: FileAction },
  key: Key,
  at: Position,
  io: StepIo,
): Promise<CacheRow> {
  const { parts, run, out, trace } = io;
  return parts.slot(async () => {
    run.signal.throwIfAborted();
    const began = performance.now();
    const draft = await parts.snapshots.draft(at.chainId);
    let chainId = at.chainId;
    let size = 0;
    let log = '';
    try {
      log = await act(step.action, {
        draft,
        parts,
        run,
        out,
        trace,
        dir: join(run.context.dir, `step-${String(run.next())}`),
      });
      if (await isUnchanged(draft)) await parts.snapshots.discard(draft);
      else {
        const snapshot = await parts.snapshots.commit(draft, {
          signal: run.signal,
          lease: run.lease,
        });
        chainId = snapshot.chainId;
        size = snapshot.size;
      }
    } catch (error) {
      await parts.snapshots.discard(draft);
      throw error;
    }
    const row: CacheRow = {
      key,
      parentKey: at.fileKey,
      chainId,
      config: JSON.stringify({ text: step.text, createdBy: step.createdBy, line: step.line }),
      size,
      ms: performance.now() - began,
      log,
      created: new Date(parts.now()).toISOString(),
    };
    parts.cache.put(row);
    if (row.ms > KEEP_AT_ONCE_MS) parts.cache.flush();
    return row;
  });
}

/** Resolves to what the step printed. */
async function act(action: FileAction, work: Work): Promise<string> {
  const { draft, run, dir } = work;
  const { native } = work.parts;
  const { signal } = run;
  if (action.kind === 'run') return runStep(action, work);
  if (action.kind === 'workdir') await makeWorkdir(action, { draft, native, signal });
  else {
    const ignore = action.source.kind === 'context' ? run.context.ignore : [];
    await copyFiles(action, {
      draft,
      native,
      signal,
      source: await rootOf(action.source, work),
      ignore,
      inlineDir: dir,
    });
  }
  return '';
}

async function rootOf(source: Source, { parts, run, dir }: Work): Promise<Root> {
  if (source.kind === 'context') return { dir: run.context.root };
  const lowers = parts.snapshots.lowers(await run.chainOf(source));
  if (lowers.length > 0) return { lowers };
  const empty = `${dir}-empty`;
  await mkdir(empty, { recursive: true });
  return { dir: empty };
}

async function runStep(action: RunAction, work: Work): Promise<string> {
  const { parts, run, out, draft, dir, trace } = work;
  const id = shortId(hashParts(run.id, dir));
  const undo: (() => void)[] = [];
  let closing: () => Promise<void> = () => Promise.resolve();
  try {
    const mounts: PreparedMount[] = [];
    for (const [at, mount] of action.mounts.entries())
      mounts.push(await prepare(mount, work, { at, undo }));
    out.text(` ---> Running in ${id}\n`);
    const mode = action.network === 'default' ? run.networkMode : action.network;
    const network = await parts.networks.open(mode, id);
    closing = () => network.close();
    const result = await runCommand(action, {
      id,
      draft,
      mounts,
      dir,
      shimDir: join(parts.places.shimsDir, `build-${id}`),
      runtime: parts.runtime,
      host: parts.host,
      limits: run.limits,
      shmSize: run.shmSize,
      extraHosts: run.extraHosts,
      network,
      write: (text) => {
        trace.print(text);
        out.text(text);
      },
      signal: run.signal,
    }).catch((error: unknown) => {
      throw startError(action, error);
    });
    const failure = exitError(action, result.exit);
    if (failure !== null) throw failure;
    out.text(` ---> Removed intermediate container ${id}\n`);
    return result.log;
  } finally {
    for (const step of undo.reverse()) step();
    await closing();
  }
}

/** A mount as the runtime takes it. What is written to a bind is lost: it is a copy, unless it is the context shown read-only. */
async function prepare(
  mount: RunMount,
  work: Work,
  { at, undo }: { at: number; undo: (() => void)[] },
): Promise<PreparedMount> {
  const { run, parts } = work;
  const { target: destination } = mount;
  if (mount.type === 'tmpfs') {
    const options = [
      'nosuid',
      'nodev',
      'mode=1777',
      ...(mount.size === undefined ? [] : [`size=${String(mount.size)}`]),
    ];
    return { mount: { destination, type: 'tmpfs', source: 'tmpfs', options }, isFile: false };
  }
  const options = ['rbind', 'nosuid', 'nodev', ...(mount.readonly ? ['ro'] : [])];
  if (mount.type === 'cache') {
    const held = await parts.mounts.take(mount, run.signal);
    undo.push(held.release);
    return { mount: { destination, type: 'bind', source: held.dir, options }, isFile: false };
  }
  const source =
    mount.source.kind === 'context' && mount.readonly
      ? await resolveInside(run.context.root, mount.path)
      : await copyOut(mount, work, at);
  if (source === undefined)
    throw new EngineError(
      'not-found',
      `the source ${mount.path} of the mount at ${destination} is not in the build context`,
    );
  const facts = await stat(source);
  return { mount: { destination, type: 'bind', source, options }, isFile: !facts.isDirectory() };
}

/** Copies a bind's source out of its tree, so that no link in that tree ever decides what is mounted. */
async function copyOut(
  mount: RunMount & { type: 'bind' },
  work: Work,
  at: number,
): Promise<string> {
  const dir = join(`${work.dir}-mounts`, String(at));
  await mkdir(dir, { recursive: true });
  const request = {
    source: await rootOf(mount.source, work),
    target: { dir },
    items: [{ pattern: mount.path, dest: '/content' }],
    ignore: mount.source.kind === 'context' ? work.run.context.ignore : [],
    wildcards: false,
    chown: null,
    chmod: null,
    destIsDir: false,
    unpackArchives: false,
    parents: false,
    exclude: [],
    keepOwner: mount.source.kind !== 'context',
    mtime: null,
  };
  try {
    await work.parts.native.call(['layer', 'copy'], request, { signal: work.run.signal });
  } catch (error) {
    if (kindOf(error) !== 'not-found') throw error;
    throw new EngineError(
      'not-found',
      `the source ${mount.path} of the mount at ${mount.target} does not exist`,
      { cause: error },
    );
  }
  return join(dir, 'content');
}

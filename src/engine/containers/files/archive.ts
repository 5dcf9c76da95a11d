/** docker cp, export and diff: names the tree that a container's path lies in; the native helper resolves the path beneath it. */

import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import type { PathStat } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { Root } from '../../runtime/types.ts';
import type { Container, PlannedMount } from '../container.ts';
import { placesOf } from '../parts.ts';
import { shiftOf } from '../request/owner.ts';
import type { Owner } from '../request/owner.ts';
import type { ContainersParts } from '../parts.ts';

interface Located {
  readonly root: Root;
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** A running container's own root shows its mounts; of a stopped one the volumes and binds are found by their place. */
function locate(
  container: Container,
  path: string,
  parts: ContainersParts,
  options: { write: boolean },
): Located {
  const absolute = posix.isAbsolute(path) ? path : `/${path}`;
  const isRootReadOnly = container.definition.hostConfig.ReadonlyRootfs === true;
  if (container.shim !== undefined && container.isLive) {
    const joined = shiftIn(container, parts) === undefined ? {} : { joined: true };
    return { root: { pid: container.shim.pid, ...joined }, path: absolute, isReadOnly: false };
  }
  const mount = mountAt(container.definition.mounts, posix.normalize(absolute));
  if (mount !== undefined) {
    const source =
      mount.type === 'volume'
        ? parts.volumes.source(mount.name ?? '')
        : { kind: 'bind' as const, path: mount.source };
    if (source.kind !== 'tmpfs') {
      const rest = posix.normalize(absolute).slice(mount.destination.length);
      const trailing = absolute.endsWith('/.') ? '/.' : '';
      return {
        root: { dir: source.path },
        path: `/${rest.replace(/^\/+/, '')}${trailing}`,
        isReadOnly: !mount.rw,
      };
    }
  }
  return {
    root: stoppedRoot(container, parts, options),
    path: absolute,
    isReadOnly: isRootReadOnly,
  };
}

/** Reading never needs the upper directory to be one: then it is only the topmost lower. */
function stoppedRoot(
  container: Container,
  parts: ContainersParts,
  options: { write: boolean },
): Root {
  const files = placesOf(parts.places, container.id);
  const shift = shiftIn(container, parts);
  const lowers = parts.snapshots.lowers(container.definition.chainId, shift);
  const ids = shift === undefined ? {} : { ids: shift };
  return options.write
    ? { lowers, upper: files.upper, work: files.work, ...ids }
    : { lowers: [files.upper, ...lowers], ...ids };
}

/** The ids that have changed places with root's in this container. */
function shiftIn(container: Container, parts: ContainersParts): Owner | undefined {
  return shiftOf(container.definition.hostConfig, parts.runtime.mode);
}

function mountAt(mounts: readonly PlannedMount[], path: string): PlannedMount | undefined {
  return mounts
    .filter(
      (mount) =>
        mount.type !== 'tmpfs' &&
        (path === mount.destination || path.startsWith(`${mount.destination}/`)),
    )
    .sort((a, b) => b.destination.length - a.destination.length)[0];
}

/** A path of a tree for the verbs on single files. */
export interface FilePlace {
  readonly root: Root;
  readonly path: string;
  /** For messages. */
  readonly shown: string;
  /** Why it must not be changed; undefined when it may. */
  readonly readOnly: string | undefined;
  /** Runs a change when nothing else writes to the tree. */
  readonly turn: <T>(task: () => Promise<T>) => Promise<T>;
}

/** Where a file of a container lies, running or stopped. */
export function filePlace(
  container: Container,
  path: string,
  parts: ContainersParts,
  options: { write: boolean },
): FilePlace {
  const located = locate(container, path, parts, options);
  return {
    root: located.root,
    path: located.path,
    shown: `${path} in the container ${container.name}`,
    readOnly: located.isReadOnly
      ? `${path} is read-only in the container ${container.name}`
      : undefined,
    turn: (task) => ('pid' in located.root ? task() : container.turns.run(task)),
  };
}

/** Throws not-found in Docker's words. */
export async function archiveStat(
  container: Container,
  path: string,
  parts: ContainersParts,
): Promise<PathStat> {
  const { root, path: inside } = locate(container, checkPath(path), parts, { write: false });
  try {
    return await parts.native.call<PathStat>(['archive', 'stat'], { root, path: inside });
  } catch (error) {
    throw notFound(error, container, path);
  }
}

export async function archiveGet(
  container: Container,
  path: string,
  parts: ContainersParts,
  signal: AbortSignal,
): Promise<{ stat: PathStat; tar: Readable }> {
  const stat = await archiveStat(container, path, parts);
  const { root, path: inside } = locate(container, path, parts, { write: false });
  return {
    stat,
    tar: parts.native.stream(['archive', 'get'], { root, path: inside }, { signal }).output,
  };
}

export interface PutOptions {
  readonly noOverwriteDirNonDir: boolean;
  readonly copyUidGid: boolean;
  readonly signal: AbortSignal;
}

export async function archivePut(
  container: Container,
  path: string,
  tar: Readable,
  options: PutOptions & { parts: ContainersParts },
): Promise<void> {
  const { parts, signal, noOverwriteDirNonDir, copyUidGid } = options;
  const {
    root,
    path: inside,
    isReadOnly,
  } = locate(container, checkPath(path), parts, { write: true });
  if (isReadOnly) throw new EngineError('forbidden', 'container rootfs is marked read-only');
  // With copyUIDGID what is put belongs to the container's own user (docker cp -a).
  const user = container.definition.config.User ?? '';
  const owner = copyUidGid && user !== '' ? user : null;
  const request = { root, path: inside, noOverwriteDirNonDir, owner };
  const task = () => parts.native.call(['archive', 'put'], request, { input: tar, signal });
  try {
    // A stopped container's overlay may be mounted by one writer at a time, and not while it starts.
    await ('pid' in root ? task() : container.turns.run(task));
  } catch (error) {
    throw notFound(error, container, path);
  }
}

export function exportTree(
  container: Container,
  parts: ContainersParts,
  signal: AbortSignal,
): Readable {
  const root = stoppedRoot(container, parts, { write: false });
  return parts.native.stream(['archive', 'get'], { root, path: '/', export: true }, { signal })
    .output;
}

export interface Change {
  readonly Path: string;
  readonly Kind: 0 | 1 | 2;
}

export async function changesOf(container: Container, parts: ContainersParts): Promise<Change[]> {
  const changes = await allChanges(container, parts);
  return withoutStubs(changes, stubsOf(container));
}

/** How many changes are the user's own, and the paths of those that are not. */
export async function changesBeneath(
  container: Container,
  parts: ContainersParts,
): Promise<{ kept: number; left: string[] }> {
  const changes = await allChanges(container, parts);
  const kept = new Set(withoutStubs(changes, stubsOf(container)));
  const left = changes.filter((change) => !kept.has(change)).map(({ Path }) => Path);
  return { kept: kept.size, left };
}

async function allChanges(container: Container, parts: ContainersParts): Promise<Change[]> {
  const files = placesOf(parts.places, container.id);
  const lowers = parts.snapshots.lowers(container.definition.chainId, shiftIn(container, parts));
  const { changes } = await parts.native.call<{ changes: { path: string; kind: 0 | 1 | 2 }[] }>(
    ['layer', 'changes'],
    {
      lowers,
      upper: files.upper,
    },
  );
  return changes.map(({ path, kind }) => ({
    Path: path.startsWith('/') ? path : `/${path}`,
    Kind: kind,
  }));
}

function stubsOf(container: Container): string[] {
  return [...BOUND, ...container.definition.mounts.map((mount) => mount.destination)];
}

/** Where every container has a mount. */
const BOUND = [
  '/proc',
  '/dev',
  '/dev/pts',
  '/dev/shm',
  '/dev/mqueue',
  '/dev/console',
  '/sys',
  '/sys/fs/cgroup',
  '/etc/resolv.conf',
  '/etc/hostname',
  '/etc/hosts',
  '/sbin/docker-init',
];

/** Mount points made for the mounts are no change of the user's, nor are directories changed by nothing else. */
export function withoutStubs(changes: readonly Change[], stubs: readonly string[]): Change[] {
  const doomed = new Set(stubs);
  const parents = new Set(stubs.flatMap(ancestors));
  const kept = changes.filter((change) => !(doomed.has(change.Path) && change.Kind === 1));
  return kept.filter(
    (change) =>
      change.Kind === 2 ||
      !parents.has(change.Path) ||
      kept.some((other) => other.Path.startsWith(`${change.Path}/`) && !parents.has(other.Path)),
  );
}

function ancestors(path: string): string[] {
  const parent = posix.dirname(path);
  return parent === '/' ? [] : [parent, ...ancestors(parent)];
}

function checkPath(path: string): string {
  if (path === '' || path.includes('\0'))
    throw new EngineError('invalid', 'path: must name a file of the container');
  return path;
}

function notFound(error: unknown, container: Container, path: string): unknown {
  if (error instanceof EngineError && error.kind === 'not-found') {
    return new EngineError(
      'not-found',
      `Could not find the file ${path} in container ${container.name}`,
      { cause: error, path },
    );
  }
  return error;
}

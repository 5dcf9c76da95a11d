/** Brings planned mounts to life: anonymous and named volumes are made, host directories checked, and the image's files copied into new volumes. The only place where a container's mounts touch the host's disk. */

import { chmod, chown, lstat, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngineError } from '../../../lib/errors.ts';
import type { OciMount } from '../../runtime/spec.ts';
import type { Native } from '../../runtime/types.ts';
import type { VolumeSource, VolumeStore } from '../../volumes/volumes.ts';
import type { PlannedMount } from '../container.ts';
import { exchanged } from '../request/owner.ts';
import type { Owner } from '../request/owner.ts';

export interface MountParts {
  readonly volumes: VolumeStore;
  readonly native: Native;
}

/** At creation: volumes get their rows (anonymous ones a name), long-form binds must exist, new volumes the image's content. */
export async function settleMounts(
  planned: readonly PlannedMount[],
  lowers: readonly string[],
  parts: MountParts,
  shift?: Owner,
): Promise<PlannedMount[]> {
  const settled: PlannedMount[] = [];
  for (const mount of planned) {
    if (mount.type === 'bind') {
      if (mount.createSource !== true && !(await exists(mount.source))) {
        throw new EngineError(
          'invalid',
          `invalid mount config for type "bind": bind source path does not exist: ${mount.source}`,
        );
      }
      settled.push(mount);
    } else if (mount.type === 'volume') {
      settled.push(await settleVolume(mount, lowers, parts, shift));
    } else settled.push(mount);
  }
  return settled;
}

async function settleVolume(
  mount: PlannedMount,
  lowers: readonly string[],
  { volumes, native }: MountParts,
  shift: Owner | undefined,
): Promise<PlannedMount> {
  const wanted = mount.name ?? '';
  const volume = await volumes.create(wanted === '' ? {} : { Name: wanted });
  const source = volumes.source(volume.Name);
  if (
    shift !== undefined &&
    source.kind === 'directory' &&
    (await readdir(source.path)).length === 0
  )
    await chown(source.path, shift.uid, shift.gid);
  if (mount.copyUp === true && source.kind === 'directory')
    await copyUp(mount.destination, source.path, { lowers, native });
  return { ...mount, name: volume.Name, source: volume.Mountpoint };
}

/** Docker's rule: an empty volume takes what the image has at the mount's place, with its owner and mode. */
async function copyUp(
  destination: string,
  dir: string,
  { lowers, native }: { lowers: readonly string[]; native: Native },
): Promise<void> {
  if (lowers.length === 0 || (await readdir(dir)).length > 0) return;
  if (!(await mayExist(lowers, destination))) return;
  try {
    await native.call(['layer', 'copy'], {
      source: { lowers },
      target: { dir },
      items: [{ pattern: destination, dest: '/' }],
      ignore: [],
      wildcards: false,
      chown: null,
      chmod: null,
      destIsDir: true,
      unpackArchives: false,
      parents: false,
      exclude: [],
      keepOwner: true,
      topAttributes: true,
      mtime: null,
    });
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'not-found') return;
    throw error;
  }
}

/** False when no layer can have the path: saves a process in the usual case. Only the first component is looked at, so no link is followed. */
async function mayExist(lowers: readonly string[], path: string): Promise<boolean> {
  const first = path.split('/')[1] ?? '';
  for (const lower of lowers) {
    if ((await lstat(join(lower, first)).catch(() => undefined)) !== undefined) return true;
  }
  return false;
}

/** At start: the runtime's mounts. Makes missing host directories of short-form binds as Docker does. */
export async function ociMounts(
  mounts: readonly PlannedMount[],
  volumes: VolumeStore,
  owner?: Owner,
): Promise<OciMount[]> {
  const list: OciMount[] = [];
  for (const mount of mounts) {
    if (mount.type === 'tmpfs') list.push(tmpfs(mount.destination, mount.options, mount.rw));
    else if (mount.type === 'bind') list.push(await bindMount(mount, owner));
    else list.push(await volumeMount(mount, volumes.source(mount.name ?? '')));
  }
  return list;
}

function tmpfs(destination: string, options: readonly string[], rw: boolean): OciMount {
  return {
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: [...options, ...(rw ? [] : ['ro'])],
  };
}

async function bindMount(mount: PlannedMount, owner: Owner | undefined): Promise<OciMount> {
  if (!(await exists(mount.source))) {
    if (mount.createSource !== true) {
      throw new EngineError(
        'invalid',
        `invalid mount config for type "bind": bind source path does not exist: ${mount.source}`,
      );
    }
    await makeSource(mount.source).catch((error: unknown) => {
      throw new EngineError('invalid', `error while creating mount source path '${mount.source}'`, {
        cause: error,
        path: mount.source,
      });
    });
  }
  return {
    destination: mount.destination,
    type: 'bind',
    source: mount.source,
    options: [
      mount.nonRecursive === true ? 'bind' : 'rbind',
      mount.propagation,
      ...(mount.rw ? [] : ['ro']),
    ],
    ...(owner === undefined ? {} : await ownedBy(mount.source, owner)),
  };
}

/** The source's owner on the disk and the container's user change places in the mount. */
async function ownedBy(
  source: string,
  owner: Owner,
): Promise<Pick<OciMount, 'uidMappings' | 'gidMappings'>> {
  const { uid, gid } = await stat(source);
  if (uid === owner.uid && gid === owner.gid) return {};
  return { uidMappings: exchanged(uid, owner.uid), gidMappings: exchanged(gid, owner.gid) };
}

/** Docker makes it with 0755, parents too. */
async function makeSource(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  for (let dir = path; first !== undefined && dir.length >= first.length; dir = dirname(dir))
    await chmod(dir, 0o755);
}

async function volumeMount(mount: PlannedMount, source: VolumeSource): Promise<OciMount> {
  if (source.kind === 'tmpfs') return tmpfs(mount.destination, source.options, mount.rw);
  if (source.kind === 'bind' && !(await exists(source.path))) {
    throw new EngineError(
      'invalid',
      `failed to mount local volume: mount ${source.path}: no such file or directory`,
    );
  }
  if (mount.subpath !== undefined) await checkSubpath(source.path, mount.subpath);
  const path = mount.subpath === undefined ? source.path : join(source.path, mount.subpath);
  const extra = source.kind === 'bind' ? source.options : [];
  return {
    destination: mount.destination,
    type: 'bind',
    source: path,
    options: ['rbind', 'rprivate', ...extra, ...(mount.rw ? [] : ['ro'])],
  };
}

/** Each step must be a real directory: a link inside a volume could lead out of it. */
async function checkSubpath(root: string, subpath: string): Promise<void> {
  let path = root;
  for (const part of subpath.split('/').filter((name) => name !== '' && name !== '.')) {
    path = join(path, part);
    const facts = await lstat(path).catch(() => undefined);
    if (facts?.isSymbolicLink() === true || facts === undefined) {
      throw new EngineError(
        'invalid',
        `cannot access path ${path}: the volume's subpath must exist and hold no links`,
      );
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Turns Binds, Mounts, Tmpfs and image volumes into one list of planned mounts. Pure; sources on the host are looked at elsewhere. */

import { posix } from 'node:path';
import type { HostConfig, MountRequest } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { PlannedMount } from '../container.ts';

const PROPAGATIONS = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];
const CONSISTENCIES = ['consistent', 'cached', 'delegated', 'default'];

export interface MountInput {
  readonly host: HostConfig;
  /** The merged Config.Volumes: image's and request's. */
  readonly volumes: readonly string[];
  /** Mounts of the containers that VolumesFrom names, taken over first. */
  readonly inherited: readonly PlannedMount[];
}

/** One mount a destination: later forms win as in Docker; anonymous volumes have no name yet (''). Throws `invalid`. */
export function planMounts(input: MountInput): PlannedMount[] {
  const planned = new Map<string, PlannedMount>();
  for (const mount of input.inherited) planned.set(mount.destination, mount);
  const explicit = new Set<string>();
  const add = (mount: PlannedMount) => {
    if (explicit.has(mount.destination))
      throw new EngineError('invalid', `Duplicate mount point: ${mount.destination}`);
    explicit.add(mount.destination);
    planned.set(mount.destination, mount);
  };
  for (const bind of input.host.Binds ?? []) add(parseBind(bind));
  for (const [index, mount] of (input.host.Mounts ?? []).entries()) add(parseMount(mount, index));
  for (const [target, options] of Object.entries(input.host.Tmpfs ?? {}))
    add(parseTmpfs(target, options));
  for (const volume of input.volumes) {
    const destination = checkTarget(volume, 'Volumes');
    if (planned.has(destination)) continue;
    planned.set(destination, { ...anonymous(destination), copyUp: true });
  }
  return [...planned.values()];
}

function anonymous(destination: string): PlannedMount {
  return {
    type: 'volume',
    name: '',
    source: '',
    destination,
    mode: '',
    rw: true,
    propagation: '',
    options: [],
  };
}

/** `source:target[:options]`, or a bare target for an anonymous volume. */
export function parseBind(text: string): PlannedMount {
  const parts = text.split(':');
  const [first = '', second, options = ''] = parts;
  if (parts.length > 3 || first === '')
    throw new EngineError('invalid', `invalid volume specification: '${text}'`);
  if (second === undefined)
    return { ...anonymous(checkTarget(first, `Binds: '${text}'`)), copyUp: true };
  const destination = checkTarget(second, `invalid volume specification: '${text}'`);
  const flags = readFlags(options, text);
  const base = { destination, mode: options, rw: !flags.readOnly, options: [] };
  if (first.startsWith('/')) {
    return {
      ...base,
      type: 'bind',
      source: clean(first),
      propagation: flags.propagation ?? 'rprivate',
      createSource: true,
    };
  }
  if (first.startsWith('.') || first.includes('/')) {
    throw new EngineError(
      'invalid',
      `create ${first}: "${first}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  return {
    ...base,
    type: 'volume',
    name: first,
    source: '',
    mode: options === '' ? 'z' : options,
    propagation: '',
    copyUp: !flags.noCopy,
  };
}

interface Flags {
  readOnly: boolean;
  noCopy: boolean;
  propagation: string | undefined;
}

function readFlags(options: string, text: string): Flags {
  const flags: Flags = { readOnly: false, noCopy: false, propagation: undefined };
  for (const option of options.split(',').filter((part) => part !== '')) {
    if (option === 'ro') flags.readOnly = true;
    else if (option === 'nocopy') flags.noCopy = true;
    else if (PROPAGATIONS.includes(option)) flags.propagation = option;
    // SELinux labels: there is no SELinux domain here to relabel for.
    else if (
      option !== 'rw' &&
      option !== 'z' &&
      option !== 'Z' &&
      !CONSISTENCIES.includes(option)
    ) {
      throw new EngineError('invalid', `invalid mode: ${option} in '${text}'`);
    }
  }
  return flags;
}

function parseMount(mount: MountRequest, index: number): PlannedMount {
  const at = `HostConfig.Mounts[${String(index)}]`;
  const bad = (what: string) =>
    new EngineError('invalid', `invalid mount config for type "${mount.Type}": ${what}`);
  if (typeof mount.Target !== 'string' || mount.Target === '')
    throw bad('field Target must not be empty');
  const destination = checkTarget(mount.Target, at);
  const rw = mount.ReadOnly !== true;
  const source = mount.Source ?? '';
  const base = { destination, mode: '', rw, options: [] };
  switch (mount.Type) {
    case 'bind': {
      if (source === '') throw bad('field Source must not be empty');
      if (!source.startsWith('/'))
        throw bad(`invalid mount path: '${source}' mount path must be absolute`);
      const bind = mount.BindOptions ?? {};
      const propagation =
        bind.Propagation === undefined || bind.Propagation === '' ? 'rprivate' : bind.Propagation;
      if (!PROPAGATIONS.includes(propagation))
        throw bad(`invalid propagation mode: ${propagation}`);
      return {
        ...base,
        type: 'bind',
        source: clean(source),
        propagation,
        createSource: bind.CreateMountpoint === true,
        nonRecursive: bind.NonRecursive === true,
      };
    }
    case 'volume': {
      const volume = mount.VolumeOptions ?? {};
      const driver = volume.DriverConfig?.Name ?? '';
      if (driver !== '' && driver !== 'local') throw bad(`volume driver "${driver}" not found`);
      if (source.includes('/')) throw bad(`"${source}" is not a volume name`);
      const subpath = volume.Subpath ?? '';
      if (subpath.startsWith('/') || subpath.split('/').includes('..'))
        throw bad('subpath must be a relative path within the volume');
      return {
        ...base,
        type: 'volume',
        name: source,
        source: '',
        mode: 'z',
        propagation: '',
        copyUp: volume.NoCopy !== true && subpath === '',
        ...(subpath === '' ? {} : { subpath }),
      };
    }
    case 'tmpfs': {
      if (source !== '') throw bad('field Source must not be specified');
      const { SizeBytes: size, Mode: mode } = mount.TmpfsOptions ?? {};
      return {
        ...base,
        type: 'tmpfs',
        source: '',
        propagation: '',
        options: [
          'nosuid',
          'nodev',
          'noexec',
          ...(size === undefined || size === 0 ? [] : [`size=${String(size)}`]),
          `mode=${(mode === undefined || mode === 0 ? 0o1777 : mode).toString(8)}`,
        ],
      };
    }
    default:
      throw new EngineError(
        mount.Type === 'image' ? 'not-implemented' : 'invalid',
        mount.Type === 'image'
          ? `${at}: mounts of type image are not supported by this version: copy the files with COPY --from or use a volume`
          : `${at}: mount type unknown: "${mount.Type}"`,
      );
  }
}

const TMPFS_FLAGS =
  /^(ro|rw|exec|noexec|suid|nosuid|dev|nodev|sync|async|noatime|atime|nodiratime|diratime|relatime|norelatime|strictatime|(size|nr_inodes|nr_blocks|mode|uid|gid)=[0-9]+[kmgtKMGT%]?)$/;

function parseTmpfs(target: string, text: string): PlannedMount {
  const destination = checkTarget(target, 'HostConfig.Tmpfs');
  const asked = text.split(',').filter((option) => option !== '');
  const wrong = asked.find((option) => !TMPFS_FLAGS.test(option));
  if (wrong !== undefined)
    throw new EngineError('invalid', `invalid tmpfs option "${wrong}" for ${target}`);
  const options = ['noexec', 'nosuid', 'nodev'].filter((flag) => !asked.includes(flag.slice(2)));
  return {
    type: 'tmpfs',
    source: '',
    destination,
    mode: text,
    rw: !asked.includes('ro'),
    propagation: '',
    options: [
      ...new Set([...options, ...asked.filter((option) => option !== 'ro' && option !== 'rw')]),
    ],
  };
}

function checkTarget(target: string, what: string): string {
  if (!target.startsWith('/')) {
    throw new EngineError(
      'invalid',
      `${what}: invalid mount path: '${target}' mount path must be absolute`,
    );
  }
  const path = clean(target);
  if (path === '/')
    throw new EngineError('invalid', `${what}: invalid specification: destination can't be '/'`);
  return path;
}

function clean(path: string): string {
  return posix.normalize(path).replace(/(.)\/+$/, '$1');
}

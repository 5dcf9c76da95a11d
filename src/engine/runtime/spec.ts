/** Builds the OCI configuration of a container or build step from typed input. Pure: everything about the host comes in as data; nothing is read or written here. */

import type { ResourceLimits, Ulimit } from '../../lib/api/containers.ts';
import { resolveCapabilities } from './capabilities.ts';
import { buildResources } from './resources.ts';
import type { DeviceNode, DeviceNumbers } from './resources.ts';
import { DEFAULT_PROFILE } from './seccomp-default.ts';
import { resolveSeccomp } from './seccomp.ts';
import type { SeccompProfile } from './seccomp.ts';
import type { IdMapping, Mode, OciProcess, OciSpec } from './types.ts';

export type OciMount = OciSpec['mounts'][number];

/** A namespace of the container's own, the host's, or the one at a path of /proc. */
export type NamespaceChoice = 'private' | 'host' | { readonly path: string };

/** What the host is; the same for every container. */
export interface SpecHost {
  readonly mode: Mode;
  /** x86_64 or aarch64. */
  readonly arch: string;
  readonly kernel: string;
  /** Paths of this host to mask beside Docker's list. */
  readonly masked: readonly string[];
  /** The native helper, which is also the container's init on request. */
  readonly helper: string;
  /** Layers below every image (see single-id.ts). */
  readonly lowest: readonly string[];
}

export interface SpecProcess {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** `user[:group]`, names or numbers; '' is root. */
  readonly user: string;
  readonly tty: boolean;
  readonly size?: { readonly height: number; readonly width: number } | undefined;
}

export interface SpecInput {
  readonly host: SpecHost;
  readonly process: SpecProcess;
  readonly root: {
    readonly lowers: readonly string[];
    readonly upper: string;
    readonly work: string;
  };
  readonly hostname: string;
  /** Relative to where this engine may make control groups. */
  readonly cgroupsPath: string;
  readonly domainname?: string;
  /** Binds, volumes and tmpfs in any order; one at a default's destination replaces the default. */
  readonly mounts?: readonly OciMount[];
  readonly readonlyRootfs?: boolean;
  readonly privileged?: boolean;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly noNewPrivileges?: boolean;
  readonly seccomp?: 'default' | 'unconfined' | SeccompProfile;
  readonly maskedPaths?: readonly string[] | undefined;
  readonly readonlyPaths?: readonly string[] | undefined;
  readonly namespaces?: {
    readonly network?: NamespaceChoice;
    readonly pid?: NamespaceChoice;
    readonly ipc?: NamespaceChoice;
    readonly uts?: NamespaceChoice;
    readonly cgroup?: NamespaceChoice;
  };
  readonly limits?: ResourceLimits;
  readonly devices?: readonly DeviceNode[];
  readonly deviceNumbers?: DeviceNumbers;
  readonly ulimits?: readonly Ulimit[];
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly shmSize?: number;
  readonly oomScoreAdj?: number;
  readonly additionalGids?: readonly number[];
  readonly init?: boolean;
  /** A user namespace of the container's own, with these maps. */
  readonly idMappings?: { readonly uids: IdMapping[]; readonly gids: IdMapping[] } | undefined;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
export const DEFAULT_SHM_SIZE = 64 << 20;

const INIT_PATH = '/sbin/docker-init';

const DEFAULT_MASKED: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

const DEFAULT_READONLY: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** The whole config.json. Throws `invalid` for unknown capabilities and device rules. */
export function buildSpec(input: SpecInput): OciSpec {
  const privileged = input.privileged === true;
  const capabilities = resolveCapabilities({
    privileged,
    add: input.capAdd ?? [],
    drop: input.capDrop ?? [],
  });
  const seccomp = seccompOf(input, capabilities);
  const devices = input.devices ?? [];
  const bindDevices = input.host.mode !== 'system';
  const masked = privileged ? [] : (input.maskedPaths ?? [...DEFAULT_MASKED, ...input.host.masked]);
  return {
    ociVersion: '1.2.0',
    process: processOf(input, capabilities),
    root: {
      path: 'rootfs',
      readonly: input.readonlyRootfs === true,
      overlay: {
        lowers: [...input.root.lowers, ...input.host.lowest],
        upper: input.root.upper,
        work: input.root.work,
      },
    },
    ...(input.namespaces?.uts === 'host' ? {} : { hostname: input.hostname }),
    ...(input.domainname === undefined ||
    input.domainname === '' ||
    input.namespaces?.uts === 'host'
      ? {}
      : { domainname: input.domainname }),
    mounts: mountsOf(input, bindDevices ? devices : []),
    linux: {
      namespaces: namespacesOf(input),
      ...(input.idMappings === undefined
        ? {}
        : { uidMappings: input.idMappings.uids, gidMappings: input.idMappings.gids }),
      cgroupsPath: input.cgroupsPath,
      devices: bindDevices ? [] : devices.map(deviceEntry),
      resources: buildResources({
        limits: input.limits ?? {},
        privileged,
        devices,
        numbers: input.deviceNumbers ?? new Map(),
      }),
      ...(seccomp === undefined ? {} : { seccomp }),
      sysctl: sysctlsOf(input),
      maskedPaths: [...masked],
      readonlyPaths: privileged ? [] : [...(input.readonlyPaths ?? DEFAULT_READONLY)],
    },
    annotations: {
      ...input.annotations,
      ...(input.host.mode === 'single-id' ? { 'org.pinnace.single-id': 'true' } : {}),
    },
  };
}

/** A process to run inside a container that runs already: the same rights, a command line of its own. */
export function buildExecProcess(
  container: OciProcess,
  exec: SpecProcess & { privileged: boolean },
): OciProcess {
  const capabilities = exec.privileged
    ? sameInAll(resolveCapabilities({ privileged: true, add: [], drop: [] }))
    : container.capabilities;
  return {
    terminal: exec.tty,
    ...(exec.size === undefined
      ? {}
      : { consoleSize: { height: exec.size.height, width: exec.size.width } }),
    user: {
      uid: 0,
      gid: 0,
      ...(container.user.additionalGids === undefined
        ? {}
        : { additionalGids: container.user.additionalGids }),
      username: exec.user === '' ? '0' : exec.user,
    },
    args: [...exec.args],
    env: [...exec.env],
    cwd: exec.cwd,
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(container.rlimits === undefined ? {} : { rlimits: container.rlimits }),
    noNewPrivileges: exec.privileged ? false : (container.noNewPrivileges ?? false),
    ...(container.oomScoreAdj === undefined ? {} : { oomScoreAdj: container.oomScoreAdj }),
  };
}

function processOf(input: SpecInput, capabilities: string[]): OciProcess {
  const { process } = input;
  const args = input.init === true ? [INIT_PATH, 'init', '--', ...process.args] : [...process.args];
  return {
    terminal: process.tty,
    ...(process.size === undefined
      ? {}
      : { consoleSize: { height: process.size.height, width: process.size.width } }),
    user: {
      uid: 0,
      gid: 0,
      ...(input.additionalGids === undefined || input.additionalGids.length === 0
        ? {}
        : { additionalGids: [...input.additionalGids] }),
      username: process.user === '' ? '0' : process.user,
    },
    args,
    env: [...process.env],
    cwd: process.cwd === '' ? '/' : process.cwd,
    capabilities: sameInAll(capabilities),
    rlimits: (input.ulimits ?? []).map((limit) => ({
      type: `RLIMIT_${limit.Name.toUpperCase()}`,
      soft: rlimitValue(limit.Soft),
      hard: rlimitValue(limit.Hard),
    })),
    noNewPrivileges: input.noNewPrivileges === true,
    ...(input.oomScoreAdj === undefined ? {} : { oomScoreAdj: input.oomScoreAdj }),
  };
}

/** -1 means "no limit"; 2⁶⁴-1 does not survive JSON numbers, and above 2⁵³ nothing differs. */
function rlimitValue(value: number): number {
  return value < 0 ? Number.MAX_SAFE_INTEGER : value;
}

/** Docker leaves inheritable and ambient empty (CVE-2022-24769). */
function sameInAll(names: string[]): NonNullable<OciProcess['capabilities']> {
  return { bounding: names, effective: names, permitted: names, inheritable: [], ambient: [] };
}

function seccompOf(
  input: SpecInput,
  capabilities: readonly string[],
): Record<string, unknown> | undefined {
  const choice = input.seccomp ?? 'default';
  if (choice === 'unconfined' || input.privileged === true) return undefined;
  const facts = { capabilities, arch: input.host.arch, kernel: input.host.kernel };
  return resolveSeccomp(choice === 'default' ? DEFAULT_PROFILE : choice, facts);
}

function namespacesOf(input: SpecInput): { type: string; path?: string }[] {
  const list: { type: string; path?: string }[] = [{ type: 'mount' }];
  if (input.idMappings !== undefined) list.push({ type: 'user' });
  const kinds = ['network', 'pid', 'ipc', 'uts', 'cgroup'] as const;
  for (const kind of kinds) {
    const choice = input.namespaces?.[kind] ?? 'private';
    if (choice === 'host') continue;
    list.push(choice === 'private' ? { type: kind } : { type: kind, path: choice.path });
  }
  return list;
}

function sysctlsOf(input: SpecInput): Record<string, string> {
  const isPrivate = (input.namespaces?.network ?? 'private') === 'private';
  return {
    ...(isPrivate ? { 'net.ipv4.ip_unprivileged_port_start': '0' } : {}),
    ...(isPrivate && input.host.mode === 'system'
      ? { 'net.ipv4.ping_group_range': '0 2147483647' }
      : {}),
    ...input.sysctls,
  };
}

function deviceEntry(node: DeviceNode): object {
  const { path, type, major, minor, fileMode, uid, gid } = node;
  return { path, type, major, minor, fileMode, uid, gid };
}

function mountsOf(input: SpecInput, devices: readonly DeviceNode[]): OciMount[] {
  const own: OciMount[] = [...(input.mounts ?? [])];
  for (const node of devices) {
    own.push({
      destination: node.path,
      type: 'bind',
      source: node.hostPath,
      options: ['bind', 'nosuid', 'noexec'],
    });
  }
  if (input.init === true) {
    own.push({
      destination: INIT_PATH,
      type: 'bind',
      source: input.host.helper,
      options: ['bind', 'ro', 'nosuid', 'nodev'],
    });
  }
  const taken = new Set(own.map((mount) => mount.destination));
  const defaults = defaultMounts(input).filter((mount) => !taken.has(mount.destination));
  const ownDev = taken.has('/dev');
  const kept = ownDev
    ? defaults.filter((mount) => !mount.destination.startsWith('/dev/'))
    : defaults;
  return [...kept, ...own.sort((a, b) => depth(a.destination) - depth(b.destination))];
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '').length;
}

/**
 * Docker's mounts. In a user namespace that does not own the pid, network or ipc namespace, proc,
 * sysfs and mqueue cannot be mounted anew (mount_namespaces(7)), so the host's are bound.
 */
function defaultMounts(input: SpecInput): OciMount[] {
  const rootless = input.host.mode !== 'system';
  const writable = input.privileged === true;
  const spaces = input.namespaces ?? {};
  const isOwn = (choice: NamespaceChoice | undefined) => (choice ?? 'private') === 'private';
  const ro = writable ? [] : ['ro'];
  const safe = ['nosuid', 'noexec', 'nodev'];
  const bound = (path: string, options: string[]): OciMount => ({
    destination: path,
    type: 'bind',
    source: path,
    options: ['rbind', ...options],
  });
  const shm = String(
    input.shmSize === undefined || input.shmSize <= 0 ? DEFAULT_SHM_SIZE : input.shmSize,
  );
  const pts = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'];
  return [
    rootless && spaces.pid === 'host'
      ? bound('/proc', safe)
      : { destination: '/proc', type: 'proc', source: 'proc', options: safe },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: input.host.mode === 'single-id' ? pts : [...pts, 'gid=5'],
    },
    rootless && !isOwn(spaces.network)
      ? bound('/sys', [...safe, ...ro])
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...safe, ...ro] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...ro, ...safe] },
    spaces.ipc === 'host'
      ? bound('/dev/mqueue', safe)
      : { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: safe },
    spaces.ipc === 'host'
      ? bound('/dev/shm', safe)
      : {
          destination: '/dev/shm',
          type: 'tmpfs',
          source: 'shm',
          options: [...safe, 'mode=1777', `size=${shm}`],
        },
  ];
}

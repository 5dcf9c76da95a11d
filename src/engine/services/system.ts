/** What the API calls for facts about the engine and its machine: version, info and disk usage. It changes nothing. */

import { readFileSync } from 'node:fs';
import { availableParallelism, hostname, release, totalmem } from 'node:os';
import { createHash } from 'node:crypto';
import type { ContainerSummary } from '../../lib/api/containers.ts';
import type {
  AuthAnswer,
  AuthConfig,
  DiskUsage,
  SystemInfo,
  Version,
  VolumeInfo,
} from '../../lib/api/system.ts';
import { API_VERSION, MIN_API_VERSION } from '../../lib/api/versions.ts';
import { VERSION } from '../../lib/version.ts';
import type { SystemService } from '../api/routes/system.ts';
import type { Containers } from '../containers/types.ts';
import type { RegistryConfig } from '../../lib/image/registry-config.ts';
import { listImages } from '../images/inspect.ts';
import type { Probe } from '../runtime/probe.ts';
import type { Mode, Native } from '../runtime/types.ts';
import type { Places, SnapshotStore } from '../storage/types.ts';
import type { Volumes } from '../volumes/types.ts';
import { withUsage } from './images.ts';
import type { ImageServiceParts } from './images.ts';

export interface SystemParts extends Omit<ImageServiceParts, 'usersOf'> {
  readonly containers: Pick<Containers, 'list' | 'usersOf'>;
  readonly volumes: Volumes;
  readonly snapshots: Pick<SnapshotStore, 'get' | 'lowers' | 'all'>;
  readonly native: Native;
  readonly places: Places;
  readonly probe: Probe;
  readonly mode: Mode;
  readonly registry: RegistryConfig;
  readonly startedAt: Date;
  readonly clock: () => Date;
}

const ALL = { all: true, limit: 0, filters: {} } as const;
/** Go's names of the processors that Node and the kernel name otherwise. */
const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', arm64: 'arm64' };

export function createSystemService(parts: SystemParts): SystemService {
  return {
    version: () => versionOf(parts),
    info: () => infoOf(parts),
    diskUsage: () => diskUsageOf(parts),
    async login(credentials: AuthConfig, signal: AbortSignal): Promise<AuthAnswer> {
      const { login } = await import('./login.ts');
      return login(credentials, parts.registry, signal);
    },
  };
}

function versionOf(parts: SystemParts): Version {
  const arch = GO_ARCH[process.arch] ?? process.arch;
  const kernel = parts.probe.kernel;
  const common = { Version: VERSION, ApiVersion: API_VERSION, MinAPIVersion: MIN_API_VERSION };
  return {
    Platform: { Name: 'Pinnace' },
    Components: [
      {
        Name: 'Engine',
        Version: VERSION,
        Details: {
          ApiVersion: API_VERSION,
          MinAPIVersion: MIN_API_VERSION,
          Arch: arch,
          BuildTime: '',
          Experimental: 'false',
          GitCommit: '',
          GoVersion: '',
          KernelVersion: kernel,
          Os: 'linux',
        },
      },
      { Name: 'node', Version: process.versions.node, Details: { V8: process.versions.v8 } },
      {
        Name: 'pinnace-native',
        Version: VERSION,
        Details: { Mode: parts.mode, Path: parts.native.path },
      },
    ],
    ...common,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: arch,
    KernelVersion: kernel,
    Experimental: false,
    BuildTime: '',
  };
}

async function infoOf(parts: SystemParts): Promise<SystemInfo> {
  const { places, probe, registry } = parts;
  const containers = await parts.containers.list({ ...ALL, size: false });
  const count = (...states: string[]): number =>
    containers.filter(({ State }) => states.includes(State)).length;
  const running = count('running', 'restarting');
  const paused = count('paused');
  return {
    ID: idOf(places.dataRoot),
    Containers: containers.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: containers.length - running - paused,
    Images: parts.store.list().length,
    Driver: 'overlay2',
    DriverStatus: [
      ['Mode', parts.mode],
      ['User xattrs', 'true'],
    ],
    DockerRootDir: places.dataRoot,
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: ['json-file', 'none'],
    },
    ...limitsOf(probe),
    ...machineOf(probe),
    Debug: false,
    NFd: -1,
    NGoroutines: -1,
    SystemTime: parts.clock().toISOString(),
    LoggingDriver: 'json-file',
    NEventsListener: 0,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryOf(registry),
    GenericResources: null,
    HttpProxy: withoutPassword(process.env['HTTP_PROXY']),
    HttpsProxy: withoutPassword(process.env['HTTPS_PROXY']),
    NoProxy: process.env['NO_PROXY'] ?? '',
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: VERSION,
    Runtimes: { pinnace: { path: parts.native.path } },
    DefaultRuntime: 'pinnace',
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'pinnace-native',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: '' },
    SecurityOptions: [
      ...(probe.seccomp ? ['name=seccomp,profile=builtin'] : []),
      ...(parts.mode === 'system' ? [] : ['name=rootless']),
      'name=cgroupns',
    ],
    Warnings: probe.findings
      .filter(({ level }) => level !== 'ok')
      .map(({ message }) => `WARNING: ${message}`),
  };
}

/** What may be limited is what the control groups at hand let this process write. */
function limitsOf(
  probe: Probe,
): Pick<
  SystemInfo,
  | 'MemoryLimit'
  | 'SwapLimit'
  | 'CpuCfsPeriod'
  | 'CpuCfsQuota'
  | 'CPUShares'
  | 'CPUSet'
  | 'PidsLimit'
  | 'OomKillDisable'
  | 'CgroupDriver'
  | 'CgroupVersion'
> {
  const { controllers, version } = probe.cgroup;
  const has = (name: string): boolean => controllers.includes(name);
  return {
    MemoryLimit: has('memory'),
    SwapLimit: has('memory'),
    CpuCfsPeriod: has('cpu'),
    CpuCfsQuota: has('cpu'),
    CPUShares: has('cpu'),
    CPUSet: has('cpuset'),
    PidsLimit: has('pids'),
    OomKillDisable: has('memory') && version === 1,
    CgroupDriver: controllers.length === 0 ? 'none' : 'cgroupfs',
    CgroupVersion: version === 1 ? '1' : '2',
  };
}

function machineOf(
  probe: Probe,
): Pick<
  SystemInfo,
  | 'IPv4Forwarding'
  | 'KernelVersion'
  | 'OperatingSystem'
  | 'OSVersion'
  | 'OSType'
  | 'Architecture'
  | 'NCPU'
  | 'MemTotal'
  | 'Name'
> {
  const os = osRelease();
  return {
    // Containers' packets go through the engine's own network, never through the host's forwarding.
    IPv4Forwarding: true,
    KernelVersion: release(),
    OperatingSystem: os['PRETTY_NAME'] ?? 'Linux',
    OSVersion: os['VERSION_ID'] ?? '',
    OSType: 'linux',
    Architecture: probe.arch,
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    Name: hostname(),
  };
}

/** os-release(5). */
function osRelease(): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      continue;
    }
    for (const match of text.matchAll(/^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(.*))$/gm)) {
      facts[match[1] ?? ''] = match[2] ?? match[3] ?? match[4] ?? '';
    }
    break;
  }
  return facts;
}

function registryOf(registry: RegistryConfig): SystemInfo['RegistryConfig'] {
  const mirrors = [...(registry.mirrors['docker.io'] ?? [])].map((url) =>
    url.endsWith('/') ? url : `${url}/`,
  );
  const indexes: SystemInfo['RegistryConfig']['IndexConfigs'] = {
    'docker.io': { Name: 'docker.io', Mirrors: mirrors, Secure: true, Official: true },
  };
  for (const host of registry.insecure)
    indexes[host] = { Name: host, Mirrors: [], Secure: false, Official: false };
  return {
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8'],
    IndexConfigs: indexes,
    Mirrors: mirrors,
  };
}

async function diskUsageOf(parts: SystemParts): Promise<DiskUsage> {
  const { containers, snapshots, store } = parts;
  const list = await containers.list({ ...ALL, size: true });
  const images = listImages(store.list(), {
    all: true,
    filters: {},
    get: (reference) => store.get(reference),
    now: parts.now(),
  });
  return {
    LayersSize: snapshots.all().reduce((sum, { size }) => sum + size, 0),
    Images: withUsage(images, { ...parts, usersOf: (id) => containers.usersOf(id) }),
    Containers: list,
    Volumes: await volumesWithUsage(parts, list),
    BuildCache: [],
  };
}

async function volumesWithUsage(
  parts: SystemParts,
  containers: readonly ContainerSummary[],
): Promise<VolumeInfo[]> {
  const volumes = parts.volumes.list();
  if (volumes.length === 0) return [];
  const dirs = volumes.map(({ Mountpoint }) => Mountpoint);
  const { bytes } = await parts.native.call<{ bytes: number[] }>(['layer', 'usage'], { dirs });
  return volumes.map((volume, at) => {
    const users = containers.filter(({ Mounts }) =>
      Mounts.some(({ Name }) => Name === volume.Name),
    );
    return { ...volume, UsageData: { Size: bytes[at] ?? -1, RefCount: users.length } };
  });
}

/** The same for the same data root, and a UUID in form. */
function idOf(dataRoot: string): string {
  const hex = createHash('sha256').update(`pinnace\0${hostname()}\0${dataRoot}`).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-');
}

function withoutPassword(url: string | undefined): string {
  return (url ?? '').replace(/^([a-z]+:\/\/)[^@/]*@/i, '$1xxxxx:xxxxx@');
}

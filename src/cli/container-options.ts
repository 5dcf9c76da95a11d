/** The flags of `run` and their meaning as a create request. Pure: it reads no files but env files, through the reader it is given. */

import { EngineError } from '../lib/errors.ts';
import type {
  ContainerCreateRequest,
  HostConfig,
  MountRequest,
  PortMap,
  Ulimit,
} from '../lib/api/containers.ts';
import type { ContainerFlags } from './container-flags.ts';
import { networking, networksOf } from './network-options.ts';
import { pairs, split } from './pairs.ts';

/** What the request needs from outside. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
  readonly resolvePath: (path: string) => string;
}

/** The create request of `run FLAGS image command`. Throws `invalid` naming the flag. */
export function createRequest(
  image: string,
  command: readonly string[],
  flags: ContainerFlags,
  around: Surroundings,
): ContainerCreateRequest {
  const attached = flags.detach !== true;
  const interactive = flags.interactive === true;
  const streams = flags.attach.map((stream) => stream.toLowerCase());
  const attaches = (stream: string, byDefault: boolean): boolean =>
    streams.length > 0 ? streams.includes(stream) : attached && byDefault;
  return {
    Image: image,
    Hostname: flags.hostname ?? '',
    Domainname: flags.domainname ?? '',
    User: flags.user ?? '',
    WorkingDir: flags.workdir ?? '',
    AttachStdin: attaches('stdin', interactive),
    AttachStdout: attaches('stdout', true),
    AttachStderr: attaches('stderr', true),
    Tty: flags.tty === true,
    OpenStdin: interactive,
    StdinOnce: interactive && attached,
    Env: environment(flags, around),
    Labels: pairs(flags.label),
    ...(command.length > 0 ? { Cmd: [...command] } : {}),
    ...(flags.entrypoint === undefined
      ? {}
      : { Entrypoint: flags.entrypoint === '' ? [''] : [flags.entrypoint] }),
    ...(flags.stopSignal === undefined ? {} : { StopSignal: flags.stopSignal }),
    ...(flags.stopTimeout === undefined
      ? {}
      : { StopTimeout: integer('--stop-timeout', flags.stopTimeout) }),
    ...healthOf(flags),
    ...ports(flags).exposed,
    ...volumes(flags.volume).anonymous,
    ...networking(flags),
    HostConfig: hostConfig(flags, around),
  };
}

function hostConfig(flags: ContainerFlags, around: Surroundings): HostConfig {
  const { binds } = volumes(flags.volume);
  return {
    Binds: binds.map((bind) => absoluteSource(bind, around)),
    Mounts: flags.mount.map((spec) => mount(spec, around)),
    Tmpfs: Object.fromEntries(flags.tmpfs.map((spec) => split(spec, ':'))),
    NetworkMode: networksOf(flags)[0]?.name ?? 'default',
    Links: flags.link,
    PortBindings: ports(flags).bindings,
    PublishAllPorts: flags.publishAll === true,
    AutoRemove: flags.rm === true,
    Privileged: flags.privileged === true,
    ReadonlyRootfs: flags.readOnly === true,
    IpcMode: flags.ipc ?? '',
    PidMode: flags.pid ?? '',
    UTSMode: flags.uts ?? '',
    CgroupnsMode: flags.cgroupns ?? '',
    CapAdd: flags.capAdd,
    CapDrop: flags.capDrop,
    GroupAdd: flags.groupAdd,
    Dns: flags.dns,
    DnsSearch: flags.dnsSearch,
    DnsOptions: flags.dnsOption,
    ExtraHosts: flags.addHost,
    VolumesFrom: flags.volumesFrom,
    Sysctls: pairs(flags.sysctl),
    SecurityOpt: flags.securityOpt.map((option) => securityOption(option, around)),
    Devices: flags.device.map(device),
    Ulimits: flags.ulimit.map(ulimit),
    RestartPolicy: restart(flags.restart),
    LogConfig: { Type: flags.logDriver ?? '', Config: pairs(flags.logOpt) },
    ...(flags.init === true ? { Init: true } : {}),
    ...limits(flags),
  };
}

function limits(flags: ContainerFlags): HostConfig {
  const config: HostConfig = {};
  if (flags.memory !== undefined) config.Memory = bytes('--memory', flags.memory);
  if (flags.memorySwap !== undefined)
    config.MemorySwap = flags.memorySwap === '-1' ? -1 : bytes('--memory-swap', flags.memorySwap);
  if (flags.memoryReservation !== undefined)
    config.MemoryReservation = bytes('--memory-reservation', flags.memoryReservation);
  if (flags.shmSize !== undefined) config.ShmSize = bytes('--shm-size', flags.shmSize);
  if (flags.cpus !== undefined) config.NanoCpus = Math.round(decimal('--cpus', flags.cpus) * 1e9);
  if (flags.cpuShares !== undefined) config.CpuShares = integer('--cpu-shares', flags.cpuShares);
  if (flags.cpuPeriod !== undefined) config.CpuPeriod = integer('--cpu-period', flags.cpuPeriod);
  if (flags.cpuQuota !== undefined) config.CpuQuota = integer('--cpu-quota', flags.cpuQuota);
  if (flags.cpusetCpus !== undefined) config.CpusetCpus = flags.cpusetCpus;
  if (flags.cpusetMems !== undefined) config.CpusetMems = flags.cpusetMems;
  if (flags.pidsLimit !== undefined) config.PidsLimit = integer('--pids-limit', flags.pidsLimit);
  if (flags.blkioWeight !== undefined)
    config.BlkioWeight = integer('--blkio-weight', flags.blkioWeight);
  if (flags.oomScoreAdj !== undefined)
    config.OomScoreAdj = integer('--oom-score-adj', flags.oomScoreAdj);
  if (flags.oomKillDisable === true) config.OomKillDisable = true;
  return config;
}

function environment(flags: ContainerFlags, around: Surroundings): string[] {
  const fromFiles = flags.envFile.flatMap((file) =>
    around
      .readFile(file)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#')),
  );
  return [...fromFiles, ...flags.env].flatMap((entry) => {
    if (entry.includes('=')) return [entry];
    const value = around.env[entry];
    return value === undefined ? [] : [`${entry}=${value}`];
  });
}

function healthOf(flags: ContainerFlags): Pick<ContainerCreateRequest, 'Healthcheck'> {
  if (!flags.healthcheck) return { Healthcheck: { Test: ['NONE'] } };
  if (
    flags.healthCmd === undefined &&
    flags.healthInterval === undefined &&
    flags.healthRetries === undefined
  )
    return {};
  return {
    Healthcheck: {
      ...(flags.healthCmd === undefined ? {} : { Test: ['CMD-SHELL', flags.healthCmd] }),
      ...(flags.healthInterval === undefined
        ? {}
        : { Interval: nanoseconds('--health-interval', flags.healthInterval) }),
      ...(flags.healthTimeout === undefined
        ? {}
        : { Timeout: nanoseconds('--health-timeout', flags.healthTimeout) }),
      ...(flags.healthStartPeriod === undefined
        ? {}
        : { StartPeriod: nanoseconds('--health-start-period', flags.healthStartPeriod) }),
      ...(flags.healthRetries === undefined
        ? {}
        : { Retries: integer('--health-retries', flags.healthRetries) }),
    },
  };
}

function volumes(specs: readonly string[]): {
  binds: string[];
  anonymous: Pick<ContainerCreateRequest, 'Volumes'>;
} {
  const anonymous = specs.filter((spec) => !spec.includes(':'));
  return {
    binds: specs.filter((spec) => spec.includes(':')),
    anonymous:
      anonymous.length === 0
        ? {}
        : { Volumes: Object.fromEntries(anonymous.map((target) => [target, {}])) },
  };
}

/** `./x:/y` means the working directory's x. */
function absoluteSource(bind: string, around: Surroundings): string {
  const [source, rest] = split(bind, ':');
  return source.startsWith('.') ? `${around.resolvePath(source)}:${rest}` : bind;
}

function mount(spec: string, around: Surroundings): MountRequest {
  const request: MountRequest = { Type: 'volume', Target: '' };
  for (const part of spec.split(',')) {
    const [key, value] = split(part, '=');
    if (key === 'type') request.Type = mountType(value);
    else if (key === 'source' || key === 'src')
      request.Source = value.startsWith('.') ? around.resolvePath(value) : value;
    else if (key === 'target' || key === 'dst' || key === 'destination') request.Target = value;
    else if (key === 'readonly' || key === 'ro')
      request.ReadOnly = value === '' || value === 'true' || value === '1';
    else if (key === 'consistency') request.Consistency = value;
    else if (key === 'bind-propagation')
      request.BindOptions = { ...request.BindOptions, Propagation: value };
    else if (key === 'volume-nocopy')
      request.VolumeOptions = { ...request.VolumeOptions, NoCopy: value !== 'false' };
    else if (key === 'tmpfs-size')
      request.TmpfsOptions = {
        ...request.TmpfsOptions,
        SizeBytes: bytes('--mount tmpfs-size', value),
      };
    else if (key === 'tmpfs-mode')
      request.TmpfsOptions = { ...request.TmpfsOptions, Mode: Number.parseInt(value, 8) };
    else throw new EngineError('invalid', `--mount: unexpected key '${key}' in '${spec}'`);
  }
  if (request.Target === '')
    throw new EngineError('invalid', `--mount: target is required in '${spec}'`);
  return request;
}

function mountType(value: string): MountRequest['Type'] {
  if (value === 'bind' || value === 'volume' || value === 'tmpfs' || value === 'image')
    return value;
  throw new EngineError(
    'invalid',
    `--mount: unknown type '${value}'; there is bind, volume, tmpfs, image`,
  );
}

function ports(flags: ContainerFlags): {
  exposed: Pick<ContainerCreateRequest, 'ExposedPorts'>;
  bindings: PortMap;
} {
  const exposed: Record<string, object> = {};
  const bindings: PortMap = {};
  for (const spec of flags.expose) exposed[spec.includes('/') ? spec : `${spec}/tcp`] = {};
  for (const spec of flags.publish) {
    const match = /^(?:(?:(\[[^\]]*\]|[^:]*):)?([\d-]*):)?([\d-]+)(?:\/(tcp|udp|sctp))?$/.exec(
      spec,
    );
    if (match === null)
      throw new EngineError(
        'invalid',
        `--publish: invalid port '${spec}'; it is [address:][host port:]port[/protocol]`,
      );
    const [, address = '', hostPorts = '', inside = '', protocol = 'tcp'] = match;
    const targets = portRange(inside, spec);
    const sources =
      hostPorts === '' ? targets.map(() => '') : portRange(hostPorts, spec).map(String);
    if (sources.length !== targets.length)
      throw new EngineError('invalid', `--publish: the ranges of '${spec}' differ in length`);
    targets.forEach((port, index) => {
      const key = `${port}/${protocol}`;
      exposed[key] = {};
      bindings[key] = [
        ...(bindings[key] ?? []),
        { HostIp: address.replaceAll(/[[\]]/g, ''), HostPort: sources[index] ?? '' },
      ];
    });
  }
  return { exposed: Object.keys(exposed).length === 0 ? {} : { ExposedPorts: exposed }, bindings };
}

function portRange(text: string, spec: string): number[] {
  const [first, last] = split(text, '-').map((part) =>
    part === '' ? Number(text.split('-')[0]) : Number(part),
  );
  if (
    first === undefined ||
    last === undefined ||
    !Number.isInteger(first) ||
    first < 1 ||
    last > 65_535 ||
    last < first
  ) {
    throw new EngineError('invalid', `--publish: invalid port range in '${spec}'`);
  }
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function device(spec: string): {
  PathOnHost: string;
  PathInContainer: string;
  CgroupPermissions: string;
} {
  const [host = '', inside, permissions] = spec.split(':');
  const swapped = inside !== undefined && /^[rwm]+$/.test(inside);
  return {
    PathOnHost: host,
    PathInContainer: swapped ? host : (inside ?? host),
    CgroupPermissions: swapped ? inside : (permissions ?? 'rwm'),
  };
}

function ulimit(spec: string): Ulimit {
  const [name, values] = split(spec, '=');
  const [soft, hard] = split(values, ':');
  const low = integer(`--ulimit ${name}`, soft);
  return { Name: name, Soft: low, Hard: hard === '' ? low : integer(`--ulimit ${name}`, hard) };
}

function restart(policy: string | undefined): NonNullable<HostConfig['RestartPolicy']> {
  const [name, count] = split(policy ?? 'no', ':');
  if (name === 'no' || name === 'always' || name === 'unless-stopped' || name === 'on-failure') {
    return { Name: name, MaximumRetryCount: count === '' ? 0 : integer('--restart', count) };
  }
  throw new EngineError(
    'invalid',
    `--restart: unknown policy '${name}'; there is no, always, unless-stopped, on-failure[:N]`,
  );
}

function securityOption(option: string, around: Surroundings): string {
  const [key, value] = split(option, '=');
  if (key !== 'seccomp' || value === '' || value === 'unconfined' || value === 'builtin')
    return option;
  return `seccomp=${JSON.stringify(JSON.parse(around.readFile(value)))}`;
}

const FACTORS: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

function bytes(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) throw new EngineError('invalid', `${flag}: invalid size: '${text}'`);
  return Math.trunc(Number(match[1]) * (FACTORS[(match[2] ?? '').toLowerCase()] ?? 1));
}

function integer(flag: string, text: string): number {
  if (!/^-?\d+$/.test(text))
    throw new EngineError('invalid', `${flag}: '${text}' is no whole number`);
  return Number(text);
}

function decimal(flag: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw new EngineError('invalid', `${flag}: '${text}' is no number`);
  return value;
}

const SECONDS: Record<string, number> = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** A Go duration (`1m30s`) in nanoseconds. */
export function nanoseconds(flag: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    throw new EngineError('invalid', `${flag}: '${text}' is no duration, such as 1m30s`);
  }
  return parts.reduce(
    (sum, part) => sum + Number(part[1]) * (SECONDS[part[2] ?? ''] ?? 0) * 1e9,
    0,
  );
}

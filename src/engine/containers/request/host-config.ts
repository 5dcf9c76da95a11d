/** Checks a request's HostConfig and fills in Docker's defaults. Pure; messages are Docker's where a client may know them. */

import { isIP } from 'node:net';
import type { HostConfig, ResourceLimits, RestartPolicy } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import { resolveCapabilities } from '../../runtime/capabilities.ts';
import { checkDeviceMapping, parseDeviceRule } from '../../runtime/resources.ts';
import { parseSeccomp } from '../../runtime/seccomp.ts';
import type { SeccompProfile } from '../../runtime/seccomp.ts';
import { DEFAULT_SHM_SIZE } from '../../runtime/spec.ts';
import { checkPort } from './config.ts';

export interface HostFacts {
  readonly processors: number;
}

const MIN_MEMORY = 6 << 20;
const ULIMITS =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack as'.split(
    ' ',
  );
const LOG_DRIVERS = ['json-file', 'local', 'none'];
const RUNTIMES = ['', 'runc', 'io.containerd.runc.v2', 'pinnace'];
const SYSCTLS = [
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
];

/** A copy with defaults. Throws `invalid`, `not-implemented`. */
export function checkHostConfig(asked: HostConfig, facts: HostFacts): HostConfig {
  checkLimits(asked, facts);
  checkModes(asked);
  checkLists(asked);
  const restart = checkRestart(asked.RestartPolicy, asked.AutoRemove === true);
  const logType =
    asked.LogConfig?.Type === undefined || asked.LogConfig.Type === ''
      ? 'json-file'
      : asked.LogConfig.Type;
  const logConfig = asked.LogConfig?.Config ?? {};
  if (!LOG_DRIVERS.includes(logType)) {
    throw new EngineError('invalid', `logger: no log driver named '${logType}' is registered`);
  }
  logLimits({ Config: logConfig });
  const network =
    asked.NetworkMode === undefined || asked.NetworkMode === '' ? 'default' : asked.NetworkMode;
  if ((asked.ShmSize ?? 0) < 0) throw new EngineError('invalid', 'SHM size can not be less than 0');
  return {
    ...asked,
    NetworkMode: network === 'default' ? 'bridge' : network,
    RestartPolicy: restart,
    LogConfig: { Type: logType, Config: logConfig },
    ShmSize: asked.ShmSize === undefined || asked.ShmSize === 0 ? DEFAULT_SHM_SIZE : asked.ShmSize,
    IpcMode: asked.IpcMode === undefined || asked.IpcMode === '' ? 'private' : asked.IpcMode,
    CgroupnsMode:
      asked.CgroupnsMode === undefined || asked.CgroupnsMode === ''
        ? 'private'
        : asked.CgroupnsMode,
    Runtime: asked.Runtime === undefined || asked.Runtime === '' ? 'runc' : asked.Runtime,
    ConsoleSize: asked.ConsoleSize ?? [0, 0],
    AutoRemove: asked.AutoRemove ?? false,
    Privileged: asked.Privileged ?? false,
    ReadonlyRootfs: asked.ReadonlyRootfs ?? false,
    Binds: asked.Binds ?? null,
    CapAdd: asked.CapAdd ?? null,
    CapDrop: asked.CapDrop ?? null,
    Dns: asked.Dns ?? [],
    DnsOptions: asked.DnsOptions ?? [],
    DnsSearch: asked.DnsSearch ?? [],
    ExtraHosts: asked.ExtraHosts ?? null,
    GroupAdd: asked.GroupAdd ?? null,
    Links: asked.Links ?? null,
    PortBindings: asked.PortBindings ?? {},
    PublishAllPorts: asked.PublishAllPorts ?? false,
    SecurityOpt: asked.SecurityOpt ?? null,
    VolumesFrom: asked.VolumesFrom ?? null,
    PidMode: asked.PidMode ?? '',
    UTSMode: asked.UTSMode ?? '',
    UsernsMode: asked.UsernsMode ?? '',
    OomScoreAdj: asked.OomScoreAdj ?? 0,
    VolumeDriver: asked.VolumeDriver ?? '',
    ContainerIDFile: asked.ContainerIDFile ?? '',
    Cgroup: '',
    Isolation: '',
    ...limitDefaults(asked),
  };
}

function limitDefaults(asked: ResourceLimits): ResourceLimits {
  return {
    CpuShares: asked.CpuShares ?? 0,
    Memory: asked.Memory ?? 0,
    NanoCpus: asked.NanoCpus ?? 0,
    CgroupParent: asked.CgroupParent ?? '',
    BlkioWeight: asked.BlkioWeight ?? 0,
    CpuPeriod: asked.CpuPeriod ?? 0,
    CpuQuota: asked.CpuQuota ?? 0,
    CpuRealtimePeriod: asked.CpuRealtimePeriod ?? 0,
    CpuRealtimeRuntime: asked.CpuRealtimeRuntime ?? 0,
    CpusetCpus: asked.CpusetCpus ?? '',
    CpusetMems: asked.CpusetMems ?? '',
    Devices: asked.Devices ?? [],
    DeviceCgroupRules: asked.DeviceCgroupRules ?? null,
    DeviceRequests: null,
    MemoryReservation: asked.MemoryReservation ?? 0,
    MemorySwap: swapOf(asked),
    MemorySwappiness: asked.MemorySwappiness ?? null,
    OomKillDisable: asked.OomKillDisable ?? false,
    PidsLimit: asked.PidsLimit ?? null,
    Ulimits: asked.Ulimits ?? [],
  };
}

function swapOf(asked: ResourceLimits): number {
  const memory = asked.Memory ?? 0;
  const swap = asked.MemorySwap ?? 0;
  return memory > 0 && swap === 0 ? memory * 2 : swap;
}

/** Also for `update`. */
export function checkLimits(limits: ResourceLimits, facts: HostFacts): void {
  const bad = (message: string) => new EngineError('invalid', message);
  const memory = limits.Memory ?? 0;
  const swap = limits.MemorySwap ?? 0;
  if (memory !== 0 && memory < MIN_MEMORY) throw bad('Minimum memory limit allowed is 6MB');
  if (memory > 0 && swap > 0 && swap < memory) {
    throw bad('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && swap > 0)
    throw bad('You should always set the Memory limit when using Memoryswap limit, see usage');
  const reservation = limits.MemoryReservation ?? 0;
  if (reservation !== 0 && reservation < MIN_MEMORY)
    throw bad('Minimum memory reservation allowed is 6MB');
  if (memory > 0 && reservation > memory) {
    throw bad('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
  const swappiness = limits.MemorySwappiness ?? -1;
  if (swappiness < -1 || swappiness > 100)
    throw bad(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  const nano = limits.NanoCpus ?? 0;
  if (nano > 0 && ((limits.CpuPeriod ?? 0) > 0 || (limits.CpuQuota ?? 0) > 0)) {
    throw bad('Conflicting options: Nano CPUs and CPU Period or Quota cannot both be set');
  }
  if (nano < 0 || nano > facts.processors * 1e9) {
    throw bad(
      `range of CPUs is from 0.01 to ${facts.processors}.00, as there are only ${facts.processors} CPUs available`,
    );
  }
  const period = limits.CpuPeriod ?? 0;
  if (period !== 0 && (period < 1000 || period > 1_000_000))
    throw bad(
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    );
  const quota = limits.CpuQuota ?? 0;
  if (quota > 0 && quota < 1000) throw bad('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  for (const name of ['CpusetCpus', 'CpusetMems'] as const) {
    const value = limits[name] ?? '';
    if (!/^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$/.test(value))
      throw bad(`Invalid value ${value} for ${name}`);
  }
  const weight = limits.BlkioWeight ?? 0;
  if (weight !== 0 && (weight < 10 || weight > 1000))
    throw bad('Range of blkio weight is from 10 to 1000');
  for (const limit of limits.Ulimits ?? []) checkUlimit(limit);
}

function checkUlimit(limit: { Name?: unknown; Soft?: unknown; Hard?: unknown }): void {
  const { Name, Soft, Hard } = limit;
  if (typeof Name !== 'string' || !ULIMITS.includes(Name)) {
    throw new EngineError('invalid', `HostConfig.Ulimits: invalid ulimit type: ${String(Name)}`);
  }
  if (typeof Soft !== 'number' || typeof Hard !== 'number') {
    throw new EngineError('invalid', `HostConfig.Ulimits: ${Name} needs Soft and Hard as numbers`);
  }
  if (Hard !== -1 && (Soft === -1 || Soft > Hard)) {
    throw new EngineError(
      'invalid',
      `ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`,
    );
  }
}

const MODES: readonly {
  field: 'PidMode' | 'IpcMode' | 'UTSMode' | 'CgroupnsMode';
  values: RegExp;
  what: string;
}[] = [
  { field: 'PidMode', values: /^(host|private|container:.+)?$/, what: 'PID mode' },
  { field: 'IpcMode', values: /^(none|private|shareable|host|container:.+)?$/, what: 'IPC mode' },
  { field: 'UTSMode', values: /^(host|private)?$/, what: 'UTS mode' },
  { field: 'CgroupnsMode', values: /^(host|private)?$/, what: 'cgroup namespace mode' },
];

function checkModes(asked: HostConfig): void {
  for (const { field, values, what } of MODES) {
    if (!values.test(asked[field] ?? ''))
      throw new EngineError('invalid', `invalid ${what}: ${asked[field] ?? ''}`);
  }
  const userns = asked.UsernsMode ?? '';
  if (userns !== '' && userns !== 'host')
    throw new EngineError('invalid', `invalid userns mode: ${userns}`);
  if (!RUNTIMES.includes(asked.Runtime ?? '')) {
    throw new EngineError('invalid', `unknown or invalid runtime name: ${asked.Runtime ?? ''}`);
  }
  if (!['', 'default'].includes(asked.Isolation ?? '')) {
    throw new EngineError('invalid', `invalid isolation '${asked.Isolation ?? ''}' on linux`);
  }
  const score = asked.OomScoreAdj ?? 0;
  if (score < -1000 || score > 1000) {
    throw new EngineError(
      'invalid',
      `Invalid value ${score}, range for oom score adj is [-1000, 1000]`,
    );
  }
}

function checkLists(asked: HostConfig): void {
  resolveCapabilities({ privileged: false, add: asked.CapAdd ?? [], drop: asked.CapDrop ?? [] });
  for (const device of asked.Devices ?? []) checkDeviceMapping(device);
  for (const rule of asked.DeviceCgroupRules ?? []) parseDeviceRule(rule);
  for (const port of Object.keys(asked.PortBindings ?? {}))
    checkPort(port, 'HostConfig.PortBindings');
  for (const server of asked.Dns ?? []) {
    if (isIP(server) === 0)
      throw new EngineError('invalid', `IP address is not correctly formatted: ${server}`);
  }
  for (const entry of asked.ExtraHosts ?? []) parseExtraHost(entry);
  securityOf(asked);
  const isHost = asked.NetworkMode === 'host';
  for (const name of Object.keys(asked.Sysctls ?? {})) {
    const isNet = name.startsWith('net.');
    if (isNet && isHost)
      throw new EngineError('invalid', `sysctl "${name}" not allowed in host network namespace`);
    if (!isNet && !SYSCTLS.includes(name) && !name.startsWith('fs.mqueue.')) {
      throw new EngineError('invalid', `sysctl "${name}" is not in a separate kernel namespace`);
    }
    if (name.includes('/') || name.includes('..'))
      throw new EngineError('invalid', `HostConfig.Sysctls: invalid name "${name}"`);
  }
  if ((asked.DeviceRequests ?? []).length > 0) {
    throw new EngineError(
      'invalid',
      'could not select device driver "" with capabilities: [[gpu]]: HostConfig.DeviceRequests is not supported, pass the device files with HostConfig.Devices',
    );
  }
  if (Object.keys(asked.StorageOpt ?? {}).length > 0) {
    throw new EngineError(
      'invalid',
      "HostConfig.StorageOpt: --storage-opt is supported only for overlay over xfs with 'pquota' mount option",
    );
  }
}

/** `name:address`, also `name=address`; `host-gateway` stands for the host. */
export function parseExtraHost(entry: string): { name: string; address: string } {
  const at = entry.search(/[:=]/);
  const name = entry.slice(0, Math.max(at, 0));
  const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
  if (
    at <= 0 ||
    !/^[0-9a-zA-Z._-]+$/.test(name) ||
    !/^([0-9a-fA-F:.]+|host-gateway)$/.test(address)
  ) {
    throw new EngineError('invalid', `bad format for add-host: "${entry}"`);
  }
  return { name, address };
}

function checkRestart(policy: RestartPolicy | undefined, isAutoRemoved: boolean): RestartPolicy {
  const name = policy?.Name === undefined || policy.Name === '' ? 'no' : policy.Name;
  const retries = policy?.MaximumRetryCount ?? 0;
  if (!['no', 'always', 'unless-stopped', 'on-failure'].includes(name)) {
    throw new EngineError(
      'invalid',
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (retries !== 0 && name !== 'on-failure') {
    throw new EngineError(
      'invalid',
      "invalid restart policy: maximum retry count can only be used with 'on-failure'",
    );
  }
  if (retries < 0)
    throw new EngineError(
      'invalid',
      'invalid restart policy: maximum retry count cannot be negative',
    );
  if (name !== 'no' && isAutoRemoved) {
    throw new EngineError('invalid', "can't create 'AutoRemove' container with restart policy");
  }
  return { Name: name, MaximumRetryCount: retries };
}

export interface Security {
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'default' | 'unconfined' | SeccompProfile;
}

/** What `SecurityOpt` asks for. Labels and AppArmor profiles that switch things off are already true here. */
export function securityOf(host: Pick<HostConfig, 'SecurityOpt'>): Security {
  let noNewPrivileges = false;
  let seccomp: Security['seccomp'] = 'default';
  for (const option of host.SecurityOpt ?? []) {
    const at = option.search(/[=:]/);
    const key = at < 0 ? option : option.slice(0, at);
    const value = at < 0 ? '' : option.slice(at + 1);
    if (key === 'no-new-privileges') {
      if (!['', 'true', 'false'].includes(value)) {
        throw new EngineError('invalid', `invalid --security-opt 2: "${option}"`);
      }
      noNewPrivileges = value !== 'false';
    } else if (key === 'seccomp') {
      seccomp =
        value === 'unconfined'
          ? 'unconfined'
          : value === 'builtin'
            ? 'default'
            : parseSeccomp(value);
    } else if (key === 'apparmor') {
      if (value !== 'unconfined' && value !== 'docker-default') {
        throw new EngineError(
          'not-implemented',
          `HostConfig.SecurityOpt: AppArmor profile "${value}" cannot be loaded by this engine`,
        );
      }
    } else if (key !== 'label' && !(key === 'writable-cgroups' && value === 'false')) {
      throw new EngineError('invalid', `invalid --security-opt 2: "${option}"`);
    }
  }
  return { noNewPrivileges, seccomp };
}

const SIZES: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 };
const DEFAULT_LOG = { maxSize: 0, maxFiles: 1 };

/** json-file's `max-size` (bytes, 0: endless) and `max-file`. */
export function logLimits(log: { Config?: Record<string, string> | null }): {
  maxSize: number;
  maxFiles: number;
} {
  const { 'max-size': size, 'max-file': files } = log.Config ?? {};
  const limits = { ...DEFAULT_LOG };
  if (size !== undefined && size !== '-1') {
    const match = /^([0-9]+(?:\.[0-9]+)?)([bkmg]?)b?$/i.exec(size);
    if (match === null)
      throw new EngineError('invalid', `LogConfig.Config: invalid max-size "${size}"`);
    limits.maxSize = Math.floor(Number(match[1]) * (SIZES[(match[2] ?? '').toLowerCase()] ?? 1));
  }
  if (files !== undefined) {
    if (!/^[1-9][0-9]{0,3}$/.test(files))
      throw new EngineError('invalid', 'max-file cannot be less than 1');
    limits.maxFiles = Number(files);
    if (limits.maxFiles > 1 && limits.maxSize === 0) {
      throw new EngineError('invalid', 'LogConfig.Config: max-file needs max-size');
    }
  }
  return limits;
}

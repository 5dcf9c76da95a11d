/** Turns a container's definition into the request for its shim: files to bind, namespaces to join, devices, the OCI configuration. It starts nothing itself. */

import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname as machineName } from 'node:os';
import type { HostConfig } from '../../lib/api/containers.ts';
import { EngineError } from '../../lib/errors.ts';
import { allDevices, hostDevices, thermalPaths, throttledDevices } from '../runtime/devices.ts';
import { buildSpec } from '../runtime/spec.ts';
import type { NamespaceChoice, OciMount, SpecHost } from '../runtime/spec.ts';
import type { ShimRequest } from '../runtime/types.ts';
import type { Container } from './container.ts';
import { hostsText, resolvText } from './files/hosts.ts';
import { ociMounts } from './files/mounts.ts';
import { resolveGroups } from './files/groups.ts';
import { placesOf } from './parts.ts';
import type { ContainerPlaces, ContainersParts } from './parts.ts';
import { processEnv } from './request/config.ts';
import { logLimits, securityOf } from './request/host-config.ts';
import type { ContainerTable } from './table.ts';

export interface LaunchParts extends ContainersParts {
  readonly table: ContainerTable;
}

const LOCAL_LOG = { maxSize: 20 << 20, maxFiles: 5 };

/** What the machine is, looked up once an engine. */
export function specHost(parts: ContainersParts): SpecHost {
  return {
    mode: parts.runtime.mode,
    arch: parts.probe.arch,
    kernel: parts.probe.kernel,
    masked: thermalPaths(),
    helper: parts.native.path,
  };
}

/** Throws invalid, not-found, conflict: a container to join that does not run, a missing device or mount source. */
export async function shimRequest(
  container: Container,
  host: SpecHost,
  parts: LaunchParts,
): Promise<ShimRequest> {
  const { definition } = container;
  const { config, hostConfig } = definition;
  const files = placesOf(parts.places, container.id);
  const lowers = parts.snapshots.lowers(definition.chainId);
  const root = { lowers, upper: files.upper, work: files.work };
  const [mounts, devices, numbers, gids, own] = await Promise.all([
    ociMounts(definition.mounts, parts.volumes),
    devicesOf(hostConfig),
    throttledDevices(hostConfig),
    resolveGroups(hostConfig.GroupAdd ?? [], root, parts.native),
    ownFiles(container, files),
    rm(files.exitFile, { force: true }),
  ]);
  const size = hostConfig.ConsoleSize;
  const console =
    config.Tty === true && size !== undefined && size[0] > 0 && size[1] > 0
      ? { height: size[0], width: size[1] }
      : undefined;
  const { noNewPrivileges, seccomp } = securityOf(hostConfig);
  const taken = new Set(mounts.map((mount) => mount.destination));
  const spec = buildSpec({
    host,
    process: {
      args: [definition.path, ...definition.args],
      env: processEnv({ ...config, Hostname: hostNameOf(container) }),
      cwd: config.WorkingDir ?? '',
      user: config.User ?? '',
      tty: config.Tty === true,
      size: console,
    },
    root,
    hostname: hostNameOf(container),
    domainname: config.Domainname ?? '',
    cgroupsPath: cgroupPath(hostConfig, container.id),
    mounts: [...own.filter((mount) => !taken.has(mount.destination)), ...mounts],
    readonlyRootfs: hostConfig.ReadonlyRootfs === true,
    privileged: hostConfig.Privileged === true,
    capAdd: hostConfig.CapAdd ?? [],
    capDrop: hostConfig.CapDrop ?? [],
    noNewPrivileges,
    seccomp,
    maskedPaths: hostConfig.MaskedPaths ?? undefined,
    readonlyPaths: hostConfig.ReadonlyPaths ?? undefined,
    namespaces: namespacesOf(container, parts.table),
    limits: hostConfig,
    devices,
    deviceNumbers: numbers,
    ulimits: hostConfig.Ulimits ?? [],
    sysctls: hostConfig.Sysctls ?? {},
    shmSize: hostConfig.ShmSize ?? 0,
    ...(hostConfig.OomScoreAdj === undefined || hostConfig.OomScoreAdj === 0
      ? {}
      : { oomScoreAdj: hostConfig.OomScoreAdj }),
    additionalGids: gids,
    init: hostConfig.Init === true,
    annotations: hostConfig.Annotations ?? {},
  });
  return {
    id: container.id,
    dir: files.shim,
    config: spec,
    tty: config.Tty === true,
    openStdin: config.OpenStdin === true,
    stdinOnce: config.StdinOnce === true,
    size: console ?? null,
    log: logOf(hostConfig, files),
    exitFile: files.exitFile,
  };
}

function logOf(host: HostConfig, files: ContainerPlaces): ShimRequest['log'] {
  const type = host.LogConfig?.Type;
  if (type === 'none') return null;
  const limits = logLimits(host.LogConfig ?? {});
  return { path: files.log, ...(type === 'local' && limits.maxSize === 0 ? LOCAL_LOG : limits) };
}

export function cgroupPath(host: HostConfig, id: string): string {
  const parent = (host.CgroupParent ?? '')
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  return [...(parent.length === 0 ? ['pinnace'] : parent), id].join('/');
}

async function devicesOf(host: HostConfig): ReturnType<typeof allDevices> {
  const named = await Promise.all((host.Devices ?? []).map((device) => hostDevices(device)));
  return host.Privileged === true ? [...(await allDevices()), ...named.flat()] : named.flat();
}

function hostNameOf(container: Container): string {
  const name = container.definition.config.Hostname ?? '';
  return name === '' ? machineName() : name;
}

/** Docker rewrites the three files at every start. */
async function ownFiles(container: Container, files: ContainerPlaces): Promise<OciMount[]> {
  const { config, hostConfig } = container.definition;
  const isJoined = (hostConfig.NetworkMode ?? '').startsWith('container:');
  await mkdir(files.dir, { recursive: true, mode: 0o710 });
  const [machineHosts, machineResolv] = await Promise.all([
    hostConfig.NetworkMode === 'host' || isJoined
      ? readFile('/etc/hosts', 'utf8').catch(() => '')
      : '',
    readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
  ]);
  const hostname = hostNameOf(container);
  await Promise.all([
    place(files.hostname, `${hostname}\n`),
    place(
      files.hosts,
      hostsText({ host: hostConfig, hostname, domainname: config.Domainname ?? '', machineHosts }),
    ),
    place(files.resolvConf, resolvText({ host: hostConfig, machineResolv })),
  ]);
  const ro = hostConfig.ReadonlyRootfs === true ? ['ro'] : [];
  const bind = (destination: string, source: string): OciMount => ({
    destination,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate', ...ro],
  });
  return [
    bind('/etc/resolv.conf', files.resolvConf),
    bind('/etc/hostname', files.hostname),
    bind('/etc/hosts', files.hosts),
  ];
}

/** Readable by every user of the container, whatever the engine's umask. */
async function place(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o644);
}

type Namespaces = {
  network: NamespaceChoice;
  pid: NamespaceChoice;
  ipc: NamespaceChoice;
  uts: NamespaceChoice;
  cgroup: NamespaceChoice;
};

function namespacesOf(container: Container, table: ContainerTable): Namespaces {
  const { hostConfig } = container.definition;
  const choose = (mode: string | undefined, kind: string, what: string): NamespaceChoice => {
    if (mode === 'host') return 'host';
    if (mode?.startsWith('container:') !== true) return 'private';
    return { path: `/proc/${String(joinedPid(mode, what, table))}/ns/${kind}` };
  };
  const isHostNet = hostConfig.NetworkMode === 'host';
  const network = choose(hostConfig.NetworkMode, 'net', 'network');
  return {
    network,
    pid: choose(hostConfig.PidMode, 'pid', 'PID'),
    ipc: choose(hostConfig.IpcMode, 'ipc', 'IPC'),
    // A container on another's network has that one's host name, as in Docker.
    uts:
      hostConfig.UTSMode === 'host' ||
      (isHostNet && (container.definition.config.Hostname ?? '') === '')
        ? 'host'
        : 'private',
    cgroup: hostConfig.CgroupnsMode === 'host' ? 'host' : 'private',
  };
}

function joinedPid(mode: string, what: string, table: ContainerTable): number {
  const reference = mode.slice('container:'.length);
  const other = table.find(reference);
  if (other === undefined) throw new EngineError('not-found', `No such container: ${reference}`);
  if (other.shim === undefined || !other.isLive) {
    throw new EngineError(
      'conflict',
      `cannot join ${what} namespace of a non running container: ${other.id}`,
    );
  }
  return other.shim.pid;
}

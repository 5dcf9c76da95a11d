/** Turns a container's definition into the request for its shim: files to bind, namespaces to join, devices, the OCI configuration. It starts nothing itself. */

import { readFile, rm } from 'node:fs/promises';
import type { ContainerConfig, HostConfig } from '../../lib/api/containers.ts';
import { EngineError } from '../../lib/errors.ts';
import { allDevices, hostDevices, throttledDevices } from '../runtime/devices.ts';
import type { Prepared } from '../network/types.ts';
import { buildSpec } from '../runtime/spec.ts';
import type { NamespaceChoice, SpecHost } from '../runtime/spec.ts';
import type { IdMapping, ShimRequest } from '../runtime/types.ts';
import type { Container } from './container.ts';
import { ociMounts } from './files/mounts.ts';
import { resolveGroups } from './files/groups.ts';
import { hostNameOf, ownFiles } from './files/own-files.ts';
import { linkVariables } from './networking/links.ts';
import { placesOf } from './parts.ts';
import type { ContainerPlaces, ContainersParts } from './parts.ts';
import { processEnv } from './request/config.ts';
import { exchanged, ownerOf, shiftOf } from './request/owner.ts';
import type { Owner } from './request/owner.ts';
import { logLimits, securityOf } from './request/host-config.ts';
import type { ContainerTable } from './table.ts';

export interface LaunchParts extends ContainersParts {
  readonly table: ContainerTable;
}

const LOCAL_LOG = { maxSize: 20 << 20, maxFiles: 5 };

/** Throws invalid, not-found, conflict: a container to join that does not run, a missing device or mount source. */
export async function shimRequest(
  container: Container,
  host: SpecHost,
  parts: LaunchParts,
  network: Prepared | undefined,
): Promise<ShimRequest> {
  const { definition } = container;
  const { config, hostConfig } = definition;
  const { noNewPrivileges, seccomp } = securityOf(hostConfig);
  const files = placesOf(parts.places, container.id);
  const joined = joinedContainer(container, parts.table);
  const hostname = hostNameOf(joined ?? container);
  const { lowers, idMappings } = await layersOf(container, host, parts);
  const root = { lowers, upper: files.upper, work: files.work };
  const [mounts, devices, numbers, gids, own] = await Promise.all([
    ociMounts(definition.mounts, parts.volumes, mountOwner(hostConfig, host)),
    devicesOf(hostConfig),
    throttledDevices(hostConfig),
    resolveGroups(hostConfig.GroupAdd ?? [], root, parts.native),
    ownFiles(container, {
      files,
      joined: joined === undefined ? undefined : placesOf(parts.places, joined.id),
      endpoints: network?.endpoints ?? [],
      table: parts.table,
    }),
    rm(files.exitFile, { force: true }),
  ]);
  const console = consoleSize(config, hostConfig);
  const taken = new Set(mounts.map((mount) => mount.destination));
  const spec = buildSpec({
    host,
    process: {
      args: [definition.path, ...definition.args],
      env: processEnv(
        { ...config, Hostname: hostname },
        network === undefined ? [] : linkVariables(container, parts.table),
      ),
      cwd: config.WorkingDir ?? '',
      user: config.User ?? '',
      tty: config.Tty === true,
      size: console,
    },
    root,
    hostname,
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
    ...oomScoreOf(hostConfig),
    additionalGids: gids,
    init: hostConfig.Init === true,
    idMappings,
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

/** Mounts with other owners need rights over the host's file systems, which only the system mode has. */
function mountOwner(hostConfig: HostConfig, { mode }: SpecHost): ReturnType<typeof ownerOf> {
  return mode === 'system' ? ownerOf(hostConfig) : undefined;
}

/** The layers as the container stands on them, and the map of its ids when it has one of its own. */
async function layersOf(
  container: Container,
  { mode }: SpecHost,
  { snapshots }: LaunchParts,
): Promise<{ lowers: string[]; idMappings: Awaited<ReturnType<typeof ownMaps>> | undefined }> {
  const { chainId, hostConfig } = container.definition;
  const shift = shiftOf(hostConfig, mode);
  if (shift === undefined) return { lowers: snapshots.lowers(chainId), idMappings: undefined };
  const idMappings = await ownMaps(shift);
  await snapshots.prepareOwned(chainId, shift, new AbortController().signal);
  return { lowers: snapshots.lowers(chainId, shift), idMappings };
}

/** Every id of this engine's user namespace, with those of the owner and root's exchanged. */
async function ownMaps(owner: Owner): Promise<{ uids: IdMapping[]; gids: IdMapping[] }> {
  const size = async (name: string): Promise<number> => {
    const lines = (await readFile(`/proc/self/${name}`, 'utf8')).trim().split('\n');
    return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[2] ?? 0), 0);
  };
  const [uids, gids] = [await size('uid_map'), await size('gid_map')];
  if (owner.uid >= uids || owner.gid >= gids) {
    throw new EngineError(
      'invalid',
      `HostConfig.PinnaceOwner: ${String(owner.uid)}:${String(owner.gid)} is beyond the ${String(uids)} ids of this engine; enlarge the range in /etc/subuid and /etc/subgid`,
    );
  }
  return { uids: exchanged(0, owner.uid, uids), gids: exchanged(0, owner.gid, gids) };
}

function consoleSize(
  config: ContainerConfig,
  host: HostConfig,
): { height: number; width: number } | undefined {
  const [height, width] = host.ConsoleSize ?? [0, 0];
  return config.Tty === true && height > 0 && width > 0 ? { height, width } : undefined;
}

function oomScoreOf({ OomScoreAdj: score }: HostConfig): { oomScoreAdj?: number } {
  return score === undefined || score === 0 ? {} : { oomScoreAdj: score };
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

/** The container whose network this one joins: it has that one's host name and files too. */
function joinedContainer(container: Container, table: ContainerTable): Container | undefined {
  const mode = container.definition.hostConfig.NetworkMode ?? '';
  return mode.startsWith('container:') ? table.find(mode.slice('container:'.length)) : undefined;
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

/** Makes containers: checks the request, merges the image's defaults, settles mounts, and writes the row. Nothing runs yet. */

import { randomBytes, randomInt } from 'node:crypto';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { ContainerCreateRequest, HostConfig } from '../../lib/api/containers.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import { LOOPBACK_ONLY } from '../network/networks.ts';
import { allowsHostLoopback } from '../network/request.ts';
import type { NetworkRecord } from '../network/types.ts';
import { limitWarnings } from '../runtime/probe.ts';
import { Container, newState } from './container.ts';
import type { Definition, PlannedMount } from './container.ts';
import { settleMounts } from './files/mounts.ts';
import { checkLinks } from './networking/links.ts';
import { portWishes } from './networking/ports.ts';
import { wishesOf } from './networking/wishes.ts';
import type { Wishes } from './networking/wishes.ts';
import { announce, placesOf } from './parts.ts';
import type { ContainersParts } from './parts.ts';
import { planMounts } from './request/binds.ts';
import { mergeConfig } from './request/config.ts';
import { checkHostConfig } from './request/host-config.ts';
import { checkName, randomName } from './request/names.ts';
import { ownerOf, shiftOf } from './request/owner.ts';
import { checkCreateShape } from './request/shape.ts';
import type { ContainerTable } from './table.ts';

export interface CreateParts extends ContainersParts {
  readonly table: ContainerTable;
}

/** Throws invalid, conflict (name), not-found (image), not-implemented. */
export async function createContainer(
  name: string | undefined,
  request: ContainerCreateRequest,
  parts: CreateParts,
): Promise<{ Id: string; Warnings: string[] }> {
  checkCreateShape(request);
  const { table, images } = parts;
  const wanted = name === undefined || name === '' ? undefined : checkName(name);
  if (wanted !== undefined) table.checkFree(wanted);
  const imageName = request.Image ?? '';
  if (imageName === '') throw new EngineError('invalid', 'Image: no image is named');
  const image = images.get(imageName);
  const id = randomBytes(32).toString('hex');
  const host = checkHostConfig(request.HostConfig ?? {}, { processors: availableParallelism() });
  ownerOf(host);
  const merged = mergeConfig(request, image.config.config ?? {}, id);
  const { hostConfig, networks } = checkNetwork(host, request, parts);
  portWishes(merged.config, hostConfig);
  const planned = planMounts({
    host: hostConfig,
    volumes: Object.keys(merged.config.Volumes ?? {}),
    inherited: inheritedMounts(hostConfig, table),
  });
  const shift = shiftOf(hostConfig, parts.runtime.mode);
  if (shift !== undefined)
    await parts.snapshots.prepareOwned(image.chainId, shift, new AbortController().signal);
  const lowers = parts.snapshots.lowers(image.chainId, shift);
  const files = placesOf(parts.places, id);
  const mounts = await settleMounts(planned, lowers, parts, shift);
  await mkdir(files.upper, { recursive: true });
  // The upper directory's mode is that of `/` in the container, whatever the engine's umask.
  await Promise.all([chmod(files.upper, 0o755), mkdir(files.work)]);
  if (shift !== undefined)
    await Promise.all([files.upper, files.work].map((dir) => chown(dir, shift.uid, shift.gid)));
  const definition: Definition = {
    id,
    created: parts.clock().toISOString(),
    imageId: image.id,
    imageName,
    chainId: image.chainId,
    platform: 'linux',
    config: hostConfig.NetworkMode === 'host' ? hostNamed(merged.config, request) : merged.config,
    hostConfig,
    path: merged.path,
    args: merged.args,
    mounts,
    networks,
  };
  const chosen = wanted ?? randomName((taken) => table.byName(taken) !== undefined, randomInt);
  // No await between the check of the name and the insertion.
  const container = new Container(definition, chosen, newState());
  table.insert(container);
  announce(parts.events, container, 'create');
  return { Id: id, Warnings: warningsOf(hostConfig, networks, parts) };
}

/** On the host's network and host name a container is called as the machine, unless the request names it. */
function hostNamed(
  config: Definition['config'],
  request: ContainerCreateRequest,
): Definition['config'] {
  return request.Hostname === undefined || request.Hostname === ''
    ? { ...config, Hostname: '' }
    : config;
}

function checkNetwork(
  host: HostConfig,
  request: ContainerCreateRequest,
  parts: CreateParts,
): { hostConfig: HostConfig; networks: Wishes } {
  const hasHostname = (request.Hostname ?? '') !== '';
  if (host.UTSMode === 'host' && hasHostname)
    throw new EngineError('invalid', 'conflicting options: hostname and the UTS mode');
  const networks = wishesOf(request, host, lookupIn(parts));
  checkLinks(host.Links ?? [], parts.table);
  const mode = host.NetworkMode ?? 'bridge';
  if (!mode.startsWith('container:')) return { hostConfig: host, networks };
  const reference = mode.slice('container:'.length);
  const other = parts.table.find(reference);
  if (other === undefined) throw new EngineError('invalid', `No such container: ${reference}`);
  if (hasHostname)
    throw new EngineError('invalid', 'conflicting options: hostname and the network mode');
  return { hostConfig: { ...host, NetworkMode: `container:${other.id}` }, networks };
}

/** A network that is not there (yet) is no error before the start, as in Docker. */
function lookupIn(parts: CreateParts): (reference: string) => NetworkRecord | undefined {
  return (reference) => {
    try {
      return parts.networks.find(reference);
    } catch (error) {
      if (kindOf(error) === 'not-found') return undefined;
      throw error;
    }
  };
}

function inheritedMounts(host: HostConfig, table: ContainerTable): PlannedMount[] {
  return (host.VolumesFrom ?? []).flatMap((entry) => {
    const [reference = '', mode = ''] = entry.split(':');
    const source = table.find(reference);
    if (source === undefined) throw new EngineError('invalid', `No such container: ${reference}`);
    if (!['', 'rw', 'ro', 'z', 'Z'].includes(mode))
      throw new EngineError('invalid', `invalid mode: ${mode} in VolumesFrom`);
    return source.definition.mounts
      .filter((mount) => mount.type !== 'tmpfs')
      .map((mount) => ({
        ...mount,
        copyUp: false,
        ...(mode === 'ro' ? { rw: false, mode: 'ro' } : {}),
      }));
  });
}

function warningsOf(host: HostConfig, networks: Wishes, parts: CreateParts): string[] {
  const warnings = limitWarnings(host, parts.probe.cgroup.controllers);
  const published = Object.keys(host.PortBindings ?? {});
  const wantsPorts = published.length > 0 || host.PublishAllPorts === true;
  if (!parts.networks.possible && Object.keys(networks).length > 0) {
    warnings.push(LOOPBACK_ONLY);
    if (wantsPorts) {
      const ports = published.length > 0 ? published.join(', ') : 'all exposed ports';
      warnings.push(
        `ports cannot be published on this machine (${ports}): use the host network to reach them`,
      );
    }
  }
  if (host.NetworkMode === 'host' && published.length > 0)
    warnings.push('Published ports are discarded when using host network mode');
  if (parts.networks.possible) warnings.push(...gatewayWarnings(host, networks, parts));
  if ((host.IpcMode ?? '').startsWith('container:')) {
    warnings.push(
      '/dev/shm is not shared with the other container: only System V and POSIX message queues are',
    );
  }
  return warnings;
}

/** `host-gateway` is a name for what is closed unless somebody opened it. */
function gatewayWarnings(host: HostConfig, networks: Wishes, parts: CreateParts): string[] {
  const named = (host.ExtraHosts ?? []).filter((entry) => entry.endsWith('host-gateway'));
  const lookup = lookupIn(parts);
  const isOpen = Object.keys(networks).some((name) => {
    const network = lookup(name);
    return network !== undefined && allowsHostLoopback(network, parts);
  });
  if (named.length === 0 || isOpen || Object.keys(networks).length === 0) return [];
  return [
    `${named.join(', ')}: the host's loopback is closed to containers; open it with 'pinnace engine start --host-loopback' (PINNACE_HOST_LOOPBACK=1), or for one network with its option org.pinnace.host-loopback=true`,
  ];
}

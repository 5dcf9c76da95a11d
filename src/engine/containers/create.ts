/** Makes containers: checks the request, merges the image's defaults, settles mounts, and writes the row. Nothing runs yet. */

import { randomBytes, randomInt } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { ContainerCreateRequest, HostConfig } from '../../lib/api/containers.ts';
import { EngineError } from '../../lib/errors.ts';
import { LOOPBACK_ONLY } from '../network/networks.ts';
import { limitWarnings } from '../runtime/probe.ts';
import { Container, newState } from './container.ts';
import type { Definition, PlannedMount } from './container.ts';
import { settleMounts } from './files/mounts.ts';
import { announce, placesOf } from './parts.ts';
import type { ContainersParts } from './parts.ts';
import { planMounts } from './request/binds.ts';
import { mergeConfig } from './request/config.ts';
import { checkHostConfig } from './request/host-config.ts';
import { checkName, randomName } from './request/names.ts';
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
  const merged = mergeConfig(request, image.config.config ?? {}, id);
  const hostConfig = checkNetwork(host, request, parts);
  const planned = planMounts({
    host: hostConfig,
    volumes: Object.keys(merged.config.Volumes ?? {}),
    inherited: inheritedMounts(hostConfig, table),
  });
  const lowers = parts.snapshots.lowers(image.chainId);
  const files = placesOf(parts.places, id);
  const mounts = await settleMounts(planned, lowers, parts);
  await mkdir(files.upper, { recursive: true });
  // The upper directory's mode is that of `/` in the container, whatever the engine's umask.
  await Promise.all([chmod(files.upper, 0o755), mkdir(files.work)]);
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
  };
  const chosen = wanted ?? randomName((taken) => table.byName(taken) !== undefined, randomInt);
  // No await between the check of the name and the insertion.
  const container = new Container(definition, chosen, newState());
  table.insert(container);
  announce(parts.events, container, 'create');
  return { Id: id, Warnings: warningsOf(hostConfig, parts) };
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
): HostConfig {
  const mode = host.NetworkMode ?? 'bridge';
  const asked = Object.keys(request.NetworkingConfig?.EndpointsConfig ?? {}).filter(
    (name) => name !== 'default',
  );
  for (const name of [mode, ...asked]) {
    if (name.startsWith('container:')) {
      const other = parts.table.find(name.slice('container:'.length));
      if (other === undefined)
        throw new EngineError('invalid', `No such container: ${name.slice('container:'.length)}`);
      if ((request.Hostname ?? '') !== '') {
        throw new EngineError('invalid', 'conflicting options: hostname and the network mode');
      }
      continue;
    }
    try {
      parts.networks.get(name);
    } catch {
      // Not 404: clients take that for a missing image and try to pull it.
      throw new EngineError(
        'invalid',
        `network ${name} not found: this version has the networks none, host and bridge (private, loopback only), and container:ID`,
      );
    }
  }
  if (host.UTSMode === 'host' && (request.Hostname ?? '') !== '') {
    throw new EngineError('invalid', 'conflicting options: hostname and the UTS mode');
  }
  const container = mode.startsWith('container:')
    ? parts.table.find(mode.slice('container:'.length))
    : undefined;
  return container === undefined ? host : { ...host, NetworkMode: `container:${container.id}` };
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

function warningsOf(host: HostConfig, parts: CreateParts): string[] {
  const warnings = limitWarnings(host, parts.probe.cgroup.controllers);
  const mode = host.NetworkMode ?? '';
  if (mode === 'bridge') warnings.push(LOOPBACK_ONLY);
  const published = Object.keys(host.PortBindings ?? {});
  if (mode !== 'host' && (published.length > 0 || host.PublishAllPorts === true)) {
    const ports = published.length > 0 ? published.join(', ') : 'all exposed ports';
    warnings.push(
      `ports are not published in this version (${ports}): use the host network to reach them`,
    );
  }
  if (mode === 'host' && published.length > 0) {
    warnings.push('Published ports are discarded when using host network mode');
  }
  if ((host.IpcMode ?? '').startsWith('container:')) {
    warnings.push(
      '/dev/shm is not shared with the other container: only System V and POSIX message queues are',
    );
  }
  return warnings;
}

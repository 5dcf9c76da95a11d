/** Published ports: what a configuration asks for, and how the API shows what came of it. Pure. */

import { isIP } from 'node:net';
import type {
  ContainerConfig,
  HostConfig,
  PortBinding,
  PortMap,
  PortSummary,
} from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { PortWish, PublishedPort } from '../../network/types.ts';
import { checkPort } from '../request/config.ts';

/** Every binding, and with PublishAllPorts every exposed port without one. Throws `invalid`. */
export function portWishes(
  config: Pick<ContainerConfig, 'ExposedPorts'>,
  host: Pick<HostConfig, 'PortBindings' | 'PublishAllPorts'>,
): PortWish[] {
  const bindings = new Map(Object.entries(host.PortBindings ?? {}));
  if (host.PublishAllPorts === true) {
    for (const port of Object.keys(config.ExposedPorts ?? {}))
      if ((bindings.get(port) ?? []).length === 0) bindings.set(port, [{}]);
  }
  return [...bindings].flatMap(([port, list]) => (list ?? []).map((one) => wishOf(port, one)));
}

function wishOf(text: string, binding: PortBinding): PortWish {
  const { port, protocol } = checkPort(text, 'HostConfig.PortBindings');
  if (port === 0 || /-/.test(text))
    throw new EngineError('invalid', `invalid port specification: "${text}"`);
  if (protocol !== 'tcp' && protocol !== 'udp') {
    throw new EngineError(
      'not-implemented',
      `${text} cannot be published: there are tcp and udp, no ${protocol}`,
    );
  }
  const hostIp = (binding.HostIp ?? '').replace(/^\[(.*)\]$/, '$1');
  if (hostIp !== '' && isIP(hostIp) === 0)
    throw new EngineError('invalid', `invalid IP address in binding: ${hostIp}`);
  return { protocol, port, hostIp, hostPorts: hostPortsOf(binding.HostPort ?? '') };
}

function hostPortsOf(text: string): PortWish['hostPorts'] {
  if (text === '' || text === '0') return null;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first < 1 || last > 65535 || last < first)
    throw new EngineError('invalid', `invalid port specification: "${text}"`);
  return { first, last };
}

/** Inspect's `Ports`: what is exposed, with where it is published. */
export function portMap(
  config: Pick<ContainerConfig, 'ExposedPorts'>,
  published: readonly PublishedPort[],
): PortMap {
  const map: PortMap = {};
  for (const port of Object.keys(config.ExposedPorts ?? {})) map[normal(port)] = null;
  for (const { port, protocol, hostAddress, hostPort } of published) {
    const key = `${String(port)}/${protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: hostAddress, HostPort: String(hostPort) }];
  }
  return map;
}

/** The `Ports` of a list entry. */
export function portList(
  config: Pick<ContainerConfig, 'ExposedPorts'>,
  published: readonly PublishedPort[],
): PortSummary[] {
  return Object.entries(portMap(config, published)).flatMap(([text, bindings]) => {
    const { port, protocol } = checkPort(text, 'ExposedPorts');
    const plain = { PrivatePort: port, Type: protocol };
    if (bindings === null) return [plain];
    return bindings.map(({ HostIp, HostPort }) => ({
      IP: HostIp ?? '',
      PrivatePort: port,
      PublicPort: Number(HostPort),
      Type: protocol,
    }));
  });
}

function normal(port: string): string {
  return port.includes('/') ? port : `${port}/tcp`;
}

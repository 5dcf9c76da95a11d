/** The requests of docs/native.md, "net", made from what is kept, and the reading of its answers. Pure. */

import { randomBytes } from 'node:crypto';
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { NetAnswer } from '../runtime/net.ts';
import { parseAddress } from './addresses.ts';
import { plainAddresses } from './naming.ts';
import { isIsolated } from './request.ts';
import type {
  Endpoint,
  NetworkRecord,
  PortWish,
  ProcessRef,
  PublishedPort,
  Tenant,
} from './types.ts';

/** What the helper calls a network. */
export function networkName(network: Pick<NetworkRecord, 'number'>): string {
  return String(network.number);
}

export function networkRequest(
  network: NetworkRecord,
  options: { readonly hostLoopback: boolean },
): object {
  return {
    op: 'network',
    id: networkName(network),
    bridge: network.bridge,
    subnets: network.subnets.map(({ cidr, gateway }) => ({ cidr, gateway })),
    internal: network.internal,
    isolated: isIsolated(network),
    mtu: network.mtu,
    hostLoopback: options.hostLoopback,
  };
}

export function attachRequest(
  endpoint: Endpoint,
  to: { network: NetworkRecord; process: ProcessRef; gateways: readonly string[] },
): object {
  return {
    op: 'attach',
    network: networkName(to.network),
    endpoint: endpoint.id,
    pid: to.process.pid,
    startTime: to.process.startTime,
    interface: endpoint.interface,
    mac: endpoint.mac,
    addresses: endpoint.addresses,
    gateways: to.gateways,
    sysctls: endpoint.sysctls,
  };
}

/** Ports lead to the endpoint's first address: the helper joins connections, so the host's family does not matter. */
export function publishRequest(
  network: NetworkRecord,
  endpoint: Endpoint,
  ports: readonly PublishedPort[],
): object {
  const [address = ''] = plainAddresses(endpoint);
  return {
    op: 'publish',
    network: networkName(network),
    endpoint: endpoint.id,
    ports: ports.map(({ protocol, hostAddress, hostPort, port }) => ({
      protocol,
      hostAddress,
      hostPort,
      address,
      port,
    })),
  };
}

/** What the helper has, from its answer to `state`. */
export function readState(answer: NetAnswer): { networks: number[]; endpoints: Set<string> } {
  const networks = Array.isArray(answer['networks']) ? (answer['networks'] as unknown[]) : [];
  const found = { networks: [] as number[], endpoints: new Set<string>() };
  for (const network of networks) {
    if (typeof network !== 'object' || network === null) continue;
    const { id, endpoints } = network as { id?: unknown; endpoints?: unknown };
    if (typeof id === 'string' || typeof id === 'number') found.networks.push(Number(id));
    for (const entry of Array.isArray(endpoints) ? (endpoints as unknown[]) : []) {
      const name = typeof entry === 'object' && entry !== null ? endpointOf(entry) : entry;
      if (typeof name === 'string') found.endpoints.add(name);
    }
  }
  return found;
}

function endpointOf(entry: object): unknown {
  if ('endpoint' in entry) return entry.endpoint;
  return 'id' in entry ? entry.id : undefined;
}

/** A published port as a wish for exactly the same. */
export function wishAgain({ protocol, port, hostAddress, hostPort }: PublishedPort): PortWish {
  return {
    protocol,
    port,
    hostIp: hostAddress,
    hostPorts: { first: hostPort, last: hostPort },
  };
}

/** Docker's: from the IPv4 address, so that it is the container's alone on its network; else a random local one. */
export function macFor(address: string | undefined): string {
  const parsed = address === undefined ? undefined : parseAddress(address);
  const bytes = randomBytes(4);
  if (parsed?.family === 4) bytes.writeUInt32BE(Number(parsed.value));
  return `02:42:${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
}

/** `container:alias`; the container's own name when there is no alias. */
export function linkPair(link: string): [alias: string, container: string] {
  const [container = '', alias = container] = link.split(':');
  return [alias, container];
}

/** The failure of a published port as Docker words it. */
export function connectivity(tenant: Tenant, endpoint: Endpoint, error: unknown): EngineError {
  return new EngineError(
    error instanceof EngineError ? error.kind : 'internal',
    `driver failed programming external connectivity on endpoint ${tenant.name} (${endpoint.id}): ${messageOf(error)}`,
    { cause: error },
  );
}

/** The networks: the predefined ones and those that users make. It answers and changes rows; who is connected, the sandboxes know. */

import { createHash, randomBytes } from 'node:crypto';
import type { NetworkCreateRequest, NetworkInfo } from '../../lib/api/system.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Database } from '../storage/types.ts';
import { parsePrefix } from './addresses.ts';
import type { Prefix } from './addresses.ts';
import { passes, prunes } from './filters.ts';
import { NetworkTable } from './network-table.ts';
import { hostRoutes } from './pools.ts';
import { checkNetworkRequest, chosen, DEFAULT_MTU } from './request.ts';
import type { Endpoint, NetworkFilters, NetworkRecord, Networks, Tenant } from './types.ts';

/** What a container on the default network is told where the machine cannot have bridges. */
export const LOOPBACK_ONLY =
  'no bridge network on this machine: the container gets a private network namespace with loopback only (pinnace doctor says why)';

export type EmitNetworkEvent = (
  action: 'create' | 'destroy' | 'connect' | 'disconnect' | 'prune',
  id: string,
  attributes: Record<string, string>,
) => void;

export interface NetworksParts {
  readonly database: Database;
  /** Makes the ids of one engine's networks stable and its own: the data root will do. */
  readonly seed: string;
  readonly clock: () => Date;
  readonly emit: EmitNetworkEvent;
  readonly possible: boolean;
  /** Who is connected now. */
  readonly members: (networkId: string) => readonly { tenant: Tenant; endpoint: Endpoint }[];
  /** Tells the helper that a network is gone. */
  readonly forget: (network: NetworkRecord) => Promise<void>;
  /** For tests: the prefixes that the host's routes lead to. */
  readonly routes?: () => Prefix[];
}

export interface NetworkStore extends Networks {
  readonly table: NetworkTable;
}

export function createNetworks(parts: NetworksParts): NetworkStore {
  const routes = parts.routes ?? hostRoutes;
  const table = openTable(parts, routes);
  const isUsed = (network: NetworkRecord): boolean => parts.members(network.id).length > 0;
  const attributesOf = (network: NetworkRecord) => ({ name: network.name, type: network.driver });
  const erase = async (network: NetworkRecord): Promise<void> => {
    table.remove(network);
    parts.emit('destroy', network.id, attributesOf(network));
    await parts.forget(network);
  };
  return {
    possible: parts.possible,
    table,
    list: (filters) =>
      table
        .all()
        .filter((network) => passes(network, filters, { isUsed }))
        .map((network) => describe(network, [])),
    get: (reference) => {
      const network = table.find(reference);
      return describe(network, parts.members(network.id));
    },
    find: (reference) => table.find(reference),
    create: (request) => {
      const { record, warnings } = recordOf(request, { table, parts, routes });
      table.insert(record);
      parts.emit('create', record.id, attributesOf(record));
      if (!parts.possible) warnings.push(LOOPBACK_ONLY);
      return { Id: record.id, Warning: warnings.join('; ') };
    },
    remove: async (reference) => {
      const network = table.find(reference);
      if (network.predefined) {
        throw new EngineError(
          'forbidden',
          `${network.name} is a pre-defined network and cannot be removed`,
        );
      }
      if (isUsed(network)) {
        throw new EngineError(
          'forbidden',
          `error while removing network: network ${network.name} id ${network.id} has active endpoints`,
        );
      }
      await erase(network);
    },
    prune: async (filters: NetworkFilters) => {
      const doomed = table
        .all()
        .filter((network) => !network.predefined && !isUsed(network))
        .filter((network) => prunes(network, filters, { isUsed, now: parts.clock() }));
      for (const network of doomed) await erase(network);
      parts.emit('prune', '', { reclaimed: '0' });
      return { NetworksDeleted: doomed.map(({ name }) => name) };
    },
  };
}

function recordOf(
  request: NetworkCreateRequest,
  at: { table: NetworkTable; parts: NetworksParts; routes: () => Prefix[] },
): ReturnType<typeof checkNetworkRequest> {
  const { table, parts, routes } = at;
  if (table.all().some(({ name, predefined }) => name === request.Name && !predefined))
    throw new EngineError('conflict', `network with name ${request.Name} already exists`);
  const networks = subnetsIn(table.all());
  return checkNetworkRequest(request, {
    networks,
    taken: [...networks, ...routes()],
    bridges: table.all().map(({ bridge }) => bridge),
    seed: parts.seed,
    id: randomBytes(32).toString('hex'),
    number: table.freeNumber(),
    created: parts.clock().toISOString(),
  });
}

/** The table with the predefined networks; the bridge keeps the subnet that it got first. */
function openTable(parts: NetworksParts, routes: () => Prefix[]): NetworkTable {
  const idOf = (name: string) =>
    createHash('sha256').update(`${parts.seed}\0${name}`).digest('hex');
  const created = parts.clock().toISOString();
  const plain = { created, predefined: true, internal: false, attachable: false, labels: {} };
  const empty = {
    enableIPv4: true,
    enableIPv6: false,
    subnets: [],
    ipamOptions: null,
    options: {},
    bridge: '',
    mtu: DEFAULT_MTU,
  };
  const table = new NetworkTable(parts.database, [
    { ...plain, ...empty, id: idOf('host'), name: 'host', number: -1, driver: 'host' },
    { ...plain, ...empty, id: idOf('none'), name: 'none', number: -2, driver: 'null' },
  ]);
  if (table.byId(idOf('bridge')) !== undefined) return table;
  table.insert({
    ...plain,
    ...empty,
    id: idOf('bridge'),
    name: 'bridge',
    number: table.freeNumber(),
    driver: 'bridge',
    bridge: 'docker0',
    subnets: [chosen(4, { seed: parts.seed, taken: [...subnetsIn(table.all()), ...routes()] })],
    options: {
      'com.docker.network.bridge.default_bridge': 'true',
      'com.docker.network.bridge.enable_icc': 'true',
      'com.docker.network.bridge.enable_ip_masquerade': 'true',
      'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
      'com.docker.network.bridge.name': 'docker0',
      'com.docker.network.driver.mtu': String(DEFAULT_MTU),
    },
  });
  return table;
}

function subnetsIn(networks: readonly NetworkRecord[]): Prefix[] {
  return networks
    .flatMap(({ subnets }) => subnets)
    .map(({ cidr }) => parsePrefix(cidr))
    .filter((prefix) => prefix !== undefined);
}

function describe(
  network: NetworkRecord,
  members: readonly { tenant: Tenant; endpoint: Endpoint }[],
): NetworkInfo {
  const containers: NetworkInfo['Containers'] = {};
  for (const { tenant, endpoint } of members) {
    const address = (isSix: boolean) =>
      endpoint.addresses.find((text) => text.includes(':') === isSix) ?? '';
    containers[tenant.id] = {
      Name: tenant.name,
      EndpointID: endpoint.id,
      MacAddress: endpoint.mac,
      IPv4Address: address(false),
      IPv6Address: address(true),
    };
  }
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: network.enableIPv4,
    EnableIPv6: network.enableIPv6,
    IPAM: {
      Driver: 'default',
      Options: network.ipamOptions === null ? null : { ...network.ipamOptions },
      Config: network.subnets.map(({ cidr, gateway, range, auxiliary }) => ({
        Subnet: cidr,
        ...(range === undefined ? {} : { IPRange: range }),
        Gateway: gateway,
        ...(Object.keys(auxiliary).length === 0 ? {} : { AuxiliaryAddresses: { ...auxiliary } }),
      })),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: containers,
    Options: { ...network.options },
    Labels: { ...network.labels },
  };
}

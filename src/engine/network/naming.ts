/** Who is called what on which network: the tables for the helper's DNS, made anew from who is connected. Pure. */

import type { Endpoint, Tenant } from './types.ts';

export interface Resident {
  readonly tenant: Tenant;
  readonly endpoints: readonly Endpoint[];
}

export interface NameTable {
  readonly names: Readonly<Record<string, readonly string[]>>;
  readonly clients: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Client → the servers that are asked for it. */
  readonly resolvers: Readonly<Record<string, readonly string[]>>;
}

const DEFAULT_BRIDGE = 'bridge';

/** The order in which a tenant's endpoints are asked for routes: those that lead outside, by priority, then by name. */
export function byPreference(endpoints: readonly Endpoint[]): Endpoint[] {
  return [...endpoints].sort(
    (a, b) =>
      Number(a.internal) - Number(b.internal) ||
      b.gatewayPriority - a.gatewayPriority ||
      (a.networkName < b.networkName ? -1 : 1),
  );
}

/** Endpoint id → the default routes over it: one gateway for each family in all. */
export function routesOf(endpoints: readonly Endpoint[]): Map<string, string[]> {
  const routes = new Map<string, string[]>(endpoints.map(({ id }) => [id, []]));
  for (const isSix of [false, true]) {
    for (const endpoint of byPreference(endpoints)) {
      const gateway = endpoint.gateways.find((address) => address.includes(':') === isSix);
      if (endpoint.internal || gateway === undefined) continue;
      routes.get(endpoint.id)?.push(gateway);
      break;
    }
  }
  return routes;
}

/** The endpoint whose network's name server the tenant asks. */
export function mainEndpoint(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return byPreference(endpoints)[0];
}

/** Whether the tenant can ask for names of others, so that only the engine's server is asked. */
export function knowsNames(endpoints: readonly Pick<Endpoint, 'networkName'>[]): boolean {
  return endpoints.some(({ networkName }) => networkName !== DEFAULT_BRIDGE);
}

/** What others on the endpoint's network may call the tenant; nothing on the default bridge, as in Docker. */
export function namesOf(
  tenant: Tenant,
  endpoint: Pick<Endpoint, 'networkName' | 'aliases'>,
): string[] {
  if (endpoint.networkName === DEFAULT_BRIDGE) return [];
  const all = [tenant.name, ...endpoint.aliases, tenant.id.slice(0, 12), tenant.hostname];
  return [...new Set(all.filter((name) => name !== ''))];
}

/** An endpoint's addresses without their prefix lengths. */
export function plainAddresses(endpoint: Endpoint): string[] {
  return endpoint.addresses.map((address) => address.replace(/\/\d+$/, ''));
}

/** The whole table of one network. */
export function nameTable(networkId: string, residents: readonly Resident[]): NameTable {
  const clients: Record<string, Record<string, readonly string[]>> = {};
  const resolvers: Record<string, readonly string[]> = {};
  for (const resident of residents) {
    const main = mainEndpoint(resident.endpoints);
    if (main?.networkId !== networkId) continue;
    const servers = resident.tenant.resolvers ?? [];
    if (servers.length > 0 && knowsNames(resident.endpoints))
      for (const address of plainAddresses(main)) resolvers[address] = servers;
    const own = namesFor(resident, main, residents);
    if (Object.keys(own).length === 0) continue;
    for (const address of plainAddresses(main)) clients[address] = own;
  }
  return { names: namesOn(networkId, residents), clients, resolvers };
}

/** Networks whose tables change when somebody comes to or leaves `networkId`: it, and those whose members also ask about it. */
export function affectedBy(networkId: string, residents: readonly Resident[]): Set<string> {
  const affected = new Set([networkId]);
  for (const { endpoints } of residents) {
    if (!endpoints.some((endpoint) => endpoint.networkId === networkId)) continue;
    const main = mainEndpoint(endpoints);
    if (main !== undefined) affected.add(main.networkId);
  }
  return affected;
}

function namesOn(
  networkId: string,
  residents: readonly Resident[],
): Record<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { tenant, endpoints } of residents) {
    for (const endpoint of endpoints) {
      if (endpoint.networkId !== networkId) continue;
      for (const name of namesOf(tenant, endpoint)) {
        const addresses = names.get(name) ?? [];
        addresses.push(...plainAddresses(endpoint));
        names.set(name, addresses);
      }
    }
  }
  return Object.fromEntries(names);
}

/** What one tenant sees beyond the table of its main network: its links, and the names on its other networks. */
function namesFor(
  resident: Resident,
  main: Endpoint,
  residents: readonly Resident[],
): Record<string, readonly string[]> {
  const extra: Record<string, readonly string[]> = {};
  for (const endpoint of byPreference(resident.endpoints)) {
    if (endpoint.id === main.id) continue;
    for (const [name, addresses] of Object.entries(namesOn(endpoint.networkId, residents)))
      extra[name] ??= addresses;
  }
  for (const endpoint of resident.endpoints) {
    for (const [alias, target] of Object.entries(endpoint.links)) {
      const linked = residents.find(({ tenant }) => isCalled(tenant, target));
      const there = linked?.endpoints.find(({ networkId }) => networkId === endpoint.networkId);
      if (there !== undefined) extra[alias] = plainAddresses(there);
    }
  }
  return extra;
}

function isCalled(tenant: Tenant, reference: string): boolean {
  return (
    tenant.name === reference ||
    tenant.id === reference ||
    (reference.length >= 12 && tenant.id.startsWith(reference))
  );
}

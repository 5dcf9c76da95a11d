/** What the network area shows to the others: networks as they are kept, and the endpoints of those who live on them. */

import type { Duplex } from 'node:stream';
import type { NetworkCreateRequest, NetworkInfo } from '../../lib/api/system.ts';

/** One address range of a network. */
export interface Subnet {
  readonly cidr: string;
  readonly gateway: string;
  /** Where addresses are chosen from; the whole subnet when absent. */
  readonly range?: string;
  /** Name → address that is never given out. */
  readonly auxiliary: Readonly<Record<string, string>>;
  /** The user named it, so static addresses are allowed. */
  readonly configured: boolean;
}

/** A network as the database holds it. Nothing of it changes. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  /** Names it to the native helper; small, unique among those that exist. */
  readonly number: number;
  /** RFC 3339. */
  readonly created: string;
  readonly driver: 'bridge' | 'host' | 'null';
  readonly predefined: boolean;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly enableIPv4: boolean;
  readonly enableIPv6: boolean;
  readonly subnets: readonly Subnet[];
  readonly ipamOptions: Readonly<Record<string, string>> | null;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Interface name in the engine's network namespace; '' without one. */
  readonly bridge: string;
  readonly mtu: number;
}

/** How somebody wants to be on a network; kept with its container. */
export interface EndpointWish {
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly linkLocal?: readonly string[];
  readonly mac?: string;
  readonly aliases: readonly string[];
  /** `container:alias`. */
  readonly links: readonly string[];
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly gatewayPriority: number;
  /** Addresses of its last run, which it gets again while they are free. Not kept. */
  readonly last?: readonly string[];
}

/** A place on a network, with everything that inspect shows and the helper needs. Plain JSON: it is kept with its container's state. */
export interface Endpoint {
  readonly id: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly interface: string;
  readonly mac: string;
  /** With their prefix lengths: `172.18.0.2/16`. */
  readonly addresses: readonly string[];
  /** Of the network; whether they are this container's default routes, the sandbox decides. */
  readonly gateways: readonly string[];
  readonly internal: boolean;
  readonly gatewayPriority: number;
  /** Settings of the interface: `net.ipv4.conf.IFNAME.name` → value. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** What others on the network call it, beside its own names. */
  readonly aliases: readonly string[];
  /** What it alone calls others: alias → container name or id. */
  readonly links: Readonly<Record<string, string>>;
}

/** One port that is published, as asked. */
export interface PortWish {
  readonly protocol: 'tcp' | 'udp';
  /** Inside the container. */
  readonly port: number;
  /** '' is every address of the host. */
  readonly hostIp: string;
  /** The first free one of these; null: any. */
  readonly hostPorts: { readonly first: number; readonly last: number } | null;
}

/** A port that is published, as it is. */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly hostAddress: string;
  readonly hostPort: number;
}

/** Everything of a living container's network; plain JSON. */
export interface LiveNetwork {
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
  /** Id of the endpoint that the ports lead to. */
  readonly carrier: string | null;
}

/** A process whose network namespace is meant; the start time tells it from a later one with its pid. */
export interface ProcessRef {
  readonly pid: number;
  readonly startTime: number;
}

/** Who lives in a sandbox. */
export interface Tenant {
  /** Container id. */
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  /** Servers that answer its questions in the place of the machine's, on networks with names. */
  readonly resolvers?: readonly string[];
}

export interface NetworkFilters {
  readonly [name: string]: readonly string[];
}

/** The networks themselves. */
export interface Networks {
  /** Whether this machine lets containers have more than loopback. */
  readonly possible: boolean;
  /** Docker's filters: name, id, driver, type, label, scope, dangling. */
  list(filters: NetworkFilters): NetworkInfo[];
  /** By name, id or unique id prefix; throws not-found (`network x not found`). */
  get(reference: string): NetworkInfo;
  /** The same as it is kept. */
  find(reference: string): NetworkRecord;
  create(request: NetworkCreateRequest): { Id: string; Warning: string };
  /** Throws forbidden for the predefined ones and those with endpoints. */
  remove(reference: string): Promise<void>;
  /** Filters: until, label, label!. */
  prune(filters: NetworkFilters): Promise<{ NetworksDeleted: string[] }>;
}

/** A sandbox that has its addresses but is not connected yet. */
export interface Prepared {
  readonly tenant: Tenant;
  readonly endpoints: readonly Endpoint[];
}

/** Who is on the networks: addresses, links, host ports, names. */
export interface Sandboxes {
  /** Whether this machine lets containers have more than loopback. */
  readonly possible: boolean;
  /** Starts what serves the networks, so that the first connection need not wait for it. Never fails. */
  warm(): void;
  /** Gives out addresses; the caller connects or abandons. Throws Docker's errors. */
  prepare(tenant: Tenant, wishes: ReadonlyMap<string, EndpointWish>): Prepared;
  abandon(prepared: Prepared): void;
  /** Links, routes, host ports and names, all or nothing; addresses are given back on failure. */
  connect(
    prepared: Prepared,
    process: ProcessRef,
    ports: readonly PortWish[],
  ): Promise<LiveNetwork>;
  /** Everything of a tenant is taken back; safe to call twice. */
  disconnect(tenant: string): Promise<void>;
  /** One more network for a tenant that runs. */
  join(tenant: string, network: string, wish: EndpointWish): Promise<LiveNetwork>;
  /** One network less; host ports move to what is left. */
  leave(tenant: string, networkId: string): Promise<LiveNetwork>;
  /** What a tenant has now. */
  of(tenant: string): LiveNetwork | undefined;
  rename(tenant: string, name: string): void;
  /** Who is on a network now. */
  members(networkId: string): readonly { tenant: Tenant; endpoint: Endpoint }[];
  /** Takes up a tenant of the last engine; `reconcile` then brings the helper in line. */
  adopt(tenant: Tenant, process: ProcessRef, live: LiveNetwork): void;
  reconcile(): Promise<void>;
  /** A connection to a port inside a process' network namespace. */
  dial(process: ProcessRef, port: number): Promise<Duplex>;
  /** Lets go: what serves the networks goes on while somebody is connected, and ends otherwise. */
  close(): Promise<void>;
}

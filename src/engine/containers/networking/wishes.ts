/** What a create or connect request says about networks, checked and in the form that is kept. Pure: networks are looked up through the function that is passed in; messages are Docker's. */

import { isIPv4, isIPv6 } from 'node:net';
import type {
  ContainerCreateRequest,
  EndpointSettings,
  HostConfig,
} from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import { interfaceSysctls } from '../../network/address-book.ts';
import type { EndpointWish, NetworkRecord } from '../../network/types.ts';

/** Network name → how the container wants to be on it. */
export type Wishes = Readonly<Record<string, EndpointWish>>;

export const NO_WISH: EndpointWish = {
  aliases: [],
  links: [],
  driverOptions: {},
  gatewayPriority: 0,
};

/** The network, undefined when there is none of this name (yet). */
export type Lookup = (reference: string) => NetworkRecord | undefined;

/** The networks of a new container; its mode's network is the first. Throws `invalid`. */
export function wishesOf(
  request: ContainerCreateRequest,
  host: HostConfig,
  lookup: Lookup,
): Wishes {
  const mode = host.NetworkMode ?? 'bridge';
  const asked = new Map<string, EndpointSettings>();
  for (const [name, settings] of Object.entries(request.NetworkingConfig?.EndpointsConfig ?? {}))
    asked.set(nameOf(name, lookup), settings ?? {});
  checkMode(mode, host, request);
  if (isApart(mode)) {
    const others = [...asked.keys()].filter((name) => name !== mode);
    if (others.length > 0) {
      throw new EngineError(
        'invalid',
        `Container cannot be connected to network endpoints: ${others.join(', ')} (its network mode is ${mode})`,
      );
    }
    return {};
  }
  if (request.NetworkDisabled === true) return {};
  const apart = [...asked.keys()].find(isApart);
  if (apart !== undefined) {
    throw bad(`conflicting options: cannot attach both ${apart} and other networks to a container`);
  }
  const main = nameOf(mode, lookup);
  const settings = withOldFields(asked.get(main) ?? {}, {
    request,
    host,
    isUserDefined: main !== 'bridge',
  });
  const wishes: Record<string, EndpointWish> = { [main]: checkWish(main, settings, lookup) };
  for (const [name, other] of asked)
    if (name !== main) wishes[name] = checkWish(name, other, lookup);
  return wishes;
}

/** Without a network of its own: host, none, another container's. */
export function isApart(mode: string): boolean {
  return mode === 'host' || mode === 'none' || mode.startsWith('container:');
}

/** One endpoint's settings. Throws `invalid` in Docker's words. */
export function checkWish(name: string, settings: EndpointSettings, lookup: Lookup): EndpointWish {
  const network = lookup(name);
  const ipv4 = nonEmpty(settings.IPAMConfig?.IPv4Address);
  const ipv6 = nonEmpty(settings.IPAMConfig?.IPv6Address);
  if (ipv4 !== undefined && !isIPv4(ipv4)) throw bad(`invalid IPv4 address: ${ipv4}`);
  if (ipv6 !== undefined && !isIPv6(ipv6)) throw bad(`invalid IPv6 address: ${ipv6}`);
  const linkLocal = settings.IPAMConfig?.LinkLocalIPs ?? [];
  for (const address of linkLocal)
    if (!isIPv4(address) && !isIPv6(address))
      throw bad(`invalid link-local IP address: ${address}`);
  const aliases = settings.Aliases ?? [];
  if (ipv4 !== undefined || ipv6 !== undefined) checkStatic(name, network);
  if (name === 'bridge' && aliases.length > 0)
    throw bad('network-scoped alias is supported only for containers in user defined networks');
  interfaceSysctls(settings.DriverOpts ?? {});
  const mac = nonEmpty(settings.MacAddress);
  if (mac !== undefined && !/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(mac))
    throw bad(`invalid MAC address: address ${mac}: invalid MAC address`);
  return {
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
    ...(linkLocal.length === 0 ? {} : { linkLocal }),
    ...(mac === undefined ? {} : { mac: mac.toLowerCase().replaceAll('-', ':') }),
    aliases: [...new Set(aliases)],
    links: settings.Links ?? [],
    driverOptions: settings.DriverOpts ?? {},
    gatewayPriority: settings.GwPriority ?? 0,
  };
}

/** An address may be named only where the user named the subnet. Also checked at start, for networks made later. */
export function checkStatic(name: string, network: NetworkRecord | undefined): void {
  if (name === 'bridge')
    throw bad('user specified IP address is supported on user defined networks only');
  if (network !== undefined && !network.subnets.some(({ configured }) => configured)) {
    throw bad(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
  }
}

/** What Docker refuses together with a network mode. */
function checkMode(mode: string, host: HostConfig, request: ContainerCreateRequest): void {
  const has = (list: readonly unknown[] | null | undefined): boolean => (list ?? []).length > 0;
  if (mode === 'host' && has(host.Links)) {
    throw bad(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  }
  if (!mode.startsWith('container:')) return;
  const conflict = (what: string) => bad(`conflicting options: ${what}`);
  if (has(host.Links)) {
    throw conflict(
      "container type network can't be used with links. This would result in undefined behavior",
    );
  }
  if (has(host.Dns)) throw conflict('dns and the network mode');
  if (has(host.ExtraHosts)) throw conflict('custom host-to-IP mapping and the network mode');
  if ((request.MacAddress ?? '') !== '') throw conflict('mac-address and the network mode');
  if (Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts === true)
    throw conflict('port publishing and the container type network mode');
  if (Object.keys(request.ExposedPorts ?? {}).length > 0)
    throw conflict('port exposing and the container type network mode');
}

/** Fields of older clients: the container's own MacAddress, and links of the host configuration. */
function withOldFields(
  settings: EndpointSettings,
  from: { request: ContainerCreateRequest; host: HostConfig; isUserDefined: boolean },
): EndpointSettings {
  const mac = nonEmpty(from.request.MacAddress);
  const own = nonEmpty(settings.MacAddress);
  if (mac !== undefined && own !== undefined && mac !== own) {
    throw bad(
      'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
    );
  }
  const links = from.isUserDefined
    ? [...new Set([...(settings.Links ?? []), ...(from.host.Links ?? [])])]
    : (settings.Links ?? []);
  return { ...settings, Links: links, ...(mac === undefined ? {} : { MacAddress: mac }) };
}

/** The name of an existing network, else the reference: a network that is made before the start will do. */
function nameOf(reference: string, lookup: Lookup): string {
  if (reference === 'default') return 'bridge';
  return lookup(reference)?.name ?? reference;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

function bad(message: string): EngineError {
  return new EngineError('invalid', message);
}

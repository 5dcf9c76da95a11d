/** A container's networks as inspect and list show them. Pure: it reads the definition and the state. */

import type { EndpointSettings, NetworkSettings } from '../../../lib/api/containers.ts';
import { namesOf } from '../../network/naming.ts';
import type { Endpoint, EndpointWish, Tenant } from '../../network/types.ts';
import type { Container } from '../container.ts';
import { isOwnServer } from '../files/hosts.ts';
import { portMap } from './ports.ts';
import { NO_WISH } from './wishes.ts';

/** A network's id; '' when it is gone. */
export type IdOf = (name: string) => string;

/** Whether it has loopback only because its mode says so; it can be disconnected from that. */
export function isOnNone(container: Container): boolean {
  const { hostConfig, networks, leftNone } = container.definition;
  const isNone = hostConfig.NetworkMode === 'none' && leftNone !== true;
  return isNone && Object.keys(networks).length === 0;
}

/** Names of the networks as clients know them; a joined container has none of its own. */
export function networkNames(container: Container): string[] {
  const { hostConfig, networks } = container.definition;
  const mode = hostConfig.NetworkMode ?? 'bridge';
  return mode === 'host' || isOnNone(container) ? [mode] : Object.keys(networks);
}

export function networkSettings(container: Container, idOf: IdOf): NetworkSettings {
  const { config } = container.definition;
  const Networks = endpointSettings(container, idOf);
  const bridge = Networks['bridge'];
  const ports = container.isLive ? portMap(config, container.state.network?.ports ?? []) : {};
  return {
    Bridge: '',
    SandboxID: container.isLive ? container.id : '',
    SandboxKey: container.isLive ? `/proc/${String(container.state.pid)}/ns/net` : '',
    Ports: ports,
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? '',
    Gateway: bridge?.Gateway ?? '',
    GlobalIPv6Address: bridge?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: bridge?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge?.IPAddress ?? '',
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: bridge?.IPv6Gateway ?? '',
    MacAddress: bridge?.MacAddress ?? '',
    Networks,
  };
}

export function endpointSettings(
  container: Container,
  idOf: IdOf,
): Record<string, EndpointSettings> {
  const live = container.isLive ? (container.state.network?.endpoints ?? []) : [];
  const entries = networkNames(container).map((name) => {
    const endpoint = live.find(({ networkName }) => networkName === name);
    const wish = container.definition.networks[name] ?? NO_WISH;
    return [name, settingsOf({ container, name, wish, endpoint, networkId: idOf(name) })] as const;
  });
  return Object.fromEntries(entries);
}

function settingsOf(facts: {
  container: Container;
  name: string;
  wish: EndpointWish;
  endpoint: Endpoint | undefined;
  networkId: string;
}): EndpointSettings {
  const { container, name, wish, endpoint, networkId } = facts;
  const split = (isSix: boolean) => {
    const text = endpoint?.addresses.find((address) => address.includes(':') === isSix) ?? '';
    const [address = '', bits = '0'] = text.split('/');
    const gateway = endpoint?.gateways.find((one) => one.includes(':') === isSix) ?? '';
    return { address, bits: Number(bits), gateway };
  };
  const [four, six] = [split(false), split(true)];
  const isUserDefined = !['bridge', 'host', 'none'].includes(name);
  const names = isUserDefined
    ? namesOf(tenantOf(container), { networkName: name, aliases: wish.aliases })
    : null;
  return {
    IPAMConfig: ipamConfig(wish),
    Links: wish.links.length === 0 ? null : [...wish.links],
    Aliases: wish.aliases.length === 0 ? null : [...wish.aliases],
    MacAddress: endpoint?.mac ?? wish.mac ?? '',
    DriverOpts: Object.keys(wish.driverOptions).length === 0 ? null : { ...wish.driverOptions },
    GwPriority: wish.gatewayPriority,
    NetworkID: networkId,
    EndpointID: endpoint?.id ?? '',
    Gateway: four.gateway,
    IPAddress: four.address,
    IPPrefixLen: four.bits,
    IPv6Gateway: six.gateway,
    GlobalIPv6Address: six.address,
    GlobalIPv6PrefixLen: six.bits,
    DNSNames: names,
  };
}

function ipamConfig(wish: EndpointWish): NonNullable<EndpointSettings['IPAMConfig']> | null {
  const { ipv4, ipv6, linkLocal } = wish;
  if (ipv4 === undefined && ipv6 === undefined && linkLocal === undefined) return null;
  return {
    ...(ipv4 === undefined ? {} : { IPv4Address: ipv4 }),
    ...(ipv6 === undefined ? {} : { IPv6Address: ipv6 }),
    ...(linkLocal === undefined ? {} : { LinkLocalIPs: [...linkLocal] }),
  };
}

/** The container as the networks know it. */
export function tenantOf(container: Container): Tenant {
  const { config, hostConfig } = container.definition;
  const resolvers = (hostConfig.Dns ?? []).filter((one) => !isOwnServer(one) && !one.includes('%'));
  const { id, name } = container;
  return { id, name, hostname: config.Hostname ?? '', resolvers };
}

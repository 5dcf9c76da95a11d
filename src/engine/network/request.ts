/** Checks a request for a network and turns it into what is kept, in Docker's words where a client may know them. Pure: what is taken comes in as data. */

import { isIP } from 'node:net';
import type { IpamConfig, NetworkCreateRequest } from '../../lib/api/system.ts';
import { EngineError } from '../../lib/errors.ts';
import {
  contains,
  first,
  formatAddress,
  formatPrefix,
  overlap,
  parseAddress,
  parsePrefix,
} from './addresses.ts';
import type { Family, Prefix } from './addresses.ts';
import { choosePool } from './pools.ts';
import type { NetworkRecord, Subnet } from './types.ts';

export const DEFAULT_MTU = 1500;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const PREDEFINED = ['bridge', 'host', 'none', 'default'];
const OPTION = 'com.docker.network.';
const ICC = `${OPTION}bridge.enable_icc`;
/** As Go reads them. */
const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
/** Set by Docker's clients, and what this engine makes of them when they are not as it does it anyway. */
const IGNORED: readonly { name: string; fine: readonly string[]; why: string }[] = [
  {
    name: `${OPTION}bridge.enable_ip_masquerade`,
    fine: ['', 'true', '1'],
    why: 'traffic to the outside always has an address of the host',
  },
  {
    name: `${OPTION}bridge.gateway_mode_ipv4`,
    fine: ['', 'nat'],
    why: 'traffic to the outside always has an address of the host',
  },
  {
    name: `${OPTION}bridge.gateway_mode_ipv6`,
    fine: ['', 'nat'],
    why: 'traffic to the outside always has an address of the host',
  },
  { name: `${OPTION}bridge.trusted_host_interfaces`, fine: [''], why: 'no host interface is used' },
  {
    name: `${OPTION}container_iface_prefix`,
    fine: ['', 'eth'],
    why: 'interfaces are named eth0, eth1, …',
  },
];

export interface CreateFacts {
  /** Subnets that must not be used. */
  readonly taken: readonly Prefix[];
  /** Those of other networks: naming one of them is an error. */
  readonly networks: readonly Prefix[];
  readonly bridges: readonly string[];
  readonly seed: string;
  readonly id: string;
  readonly number: number;
  readonly created: string;
}

/** Throws invalid, forbidden, not-found, not-implemented. */
export function checkNetworkRequest(
  request: NetworkCreateRequest,
  facts: CreateFacts,
): { record: NetworkRecord; warnings: string[] } {
  checkNetworkName(request.Name);
  checkKind(request);
  const options = request.Options ?? {};
  const enableIPv6 = request.EnableIPv6 ?? false;
  const enableIPv4 = request.EnableIPv4 ?? true;
  if (!enableIPv4 && !enableIPv6) throw new EngineError('invalid', 'IPv4 or IPv6 must be enabled');
  const record: NetworkRecord = {
    id: facts.id,
    name: request.Name,
    number: facts.number,
    created: facts.created,
    driver: 'bridge',
    predefined: false,
    internal: request.Internal ?? false,
    attachable: request.Attachable ?? false,
    enableIPv4,
    enableIPv6,
    subnets: subnetsOf(request, { ...facts, enableIPv4, enableIPv6 }),
    ipamOptions: request.IPAM?.Options ?? {},
    options,
    labels: request.Labels ?? {},
    bridge: bridgeName(options, facts),
    mtu: mtuOf(options, { enableIPv6 }),
  };
  return { record, warnings: warningsOf(options) };
}

/** Throws forbidden for the predefined names and invalid for what is no name. */
function checkNetworkName(name: string): void {
  if (name === '') throw new EngineError('invalid', 'invalid name: name is empty');
  if (PREDEFINED.includes(name)) {
    throw new EngineError('forbidden', `operation is not permitted on predefined ${name} network`);
  }
  if (!NAME.test(name)) {
    throw new EngineError(
      'invalid',
      `invalid network name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
}

function checkKind(request: NetworkCreateRequest): void {
  const driver = request.Driver ?? '';
  if (driver === 'host' || driver === 'null')
    throw new EngineError('forbidden', `only one instance of "${driver}" network is allowed`);
  if (driver === 'overlay' || request.Scope === 'swarm' || request.Ingress === true) {
    throw new EngineError(
      'unavailable',
      'This node is not a swarm manager: Pinnace has no swarm, use the driver bridge',
    );
  }
  if (driver === 'macvlan' || driver === 'ipvlan') {
    throw new EngineError(
      'not-implemented',
      `the driver ${driver} is not implemented: Pinnace never touches the host's interfaces, use the driver bridge and publish ports`,
    );
  }
  if (driver !== '' && driver !== 'bridge' && driver !== 'default') {
    throw new EngineError('not-found', `plugin "${driver}" not found: there is the driver bridge`);
  }
  if (request.ConfigOnly === true || (request.ConfigFrom?.Network ?? '') !== '')
    throw new EngineError(
      'not-implemented',
      'config-only networks are part of swarm, which Pinnace does not have',
    );
  const ipam = request.IPAM?.Driver ?? '';
  if (ipam !== '' && ipam !== 'default')
    throw new EngineError(
      'not-found',
      `plugin "${ipam}" not found: there is the IPAM driver default`,
    );
}

function subnetsOf(
  request: NetworkCreateRequest,
  facts: CreateFacts & { enableIPv4: boolean; enableIPv6: boolean },
): Subnet[] {
  const asked = (request.IPAM?.Config ?? []).filter(({ Subnet, Gateway, IPRange }) =>
    [Subnet, Gateway, IPRange].some((text) => (text ?? '') !== ''),
  );
  const configured = asked.map((config) => checkSubnet(config, facts));
  const found: Subnet[] = [];
  for (const family of [4, 6] as const) {
    const isOn = family === 4 ? facts.enableIPv4 : facts.enableIPv6;
    const own = configured.filter(({ prefix }) => prefix.family === family);
    if (!isOn) continue;
    if (own.length > 1)
      throw new EngineError('forbidden', "bridge driver doesn't support multiple subnets");
    const [only] = own;
    if (only !== undefined) found.push(only.subnet);
    else
      found.push(
        chosen(family, {
          ...facts,
          taken: [...facts.taken, ...configured.map(({ prefix }) => prefix)],
        }),
      );
  }
  return found;
}

/** A subnet of the default pools, with its first address as the gateway. */
export function chosen(family: Family, facts: { seed: string; taken: readonly Prefix[] }): Subnet {
  const prefix = choosePool(family, facts);
  return {
    cidr: formatPrefix(prefix),
    gateway: firstHost(prefix),
    auxiliary: {},
    configured: false,
  };
}

function firstHost(prefix: Prefix): string {
  return formatAddress({ family: prefix.family, value: first(prefix) + 1n });
}

function checkSubnet(config: IpamConfig, facts: CreateFacts): { subnet: Subnet; prefix: Prefix } {
  const text = config.Subnet ?? '';
  const prefix = parsePrefix(text);
  if (prefix === undefined) {
    throw new EngineError(
      'invalid',
      text === ''
        ? 'invalid network config: every IPAM configuration needs a Subnet'
        : `invalid subnet ${text} : invalid CIDR block notation`,
    );
  }
  const widest = prefix.family === 4 ? 8 : 16;
  const narrowest = prefix.family === 4 ? 30 : 126;
  if (prefix.bits < widest || prefix.bits > narrowest) {
    throw new EngineError(
      'invalid',
      `invalid subnet ${text}: its prefix must be from /${String(widest)} to /${String(narrowest)}`,
    );
  }
  if (first(prefix) !== prefix.value)
    throw new EngineError(
      'invalid',
      `invalid subnet ${text}: it should be ${formatPrefix(prefix)}`,
    );
  if (facts.networks.some((other) => overlap(prefix, other)))
    throw new EngineError('forbidden', 'Pool overlaps with other one on this address space');
  const inside = (what: string, address: string): string => {
    const parsed = parseAddress(address);
    if (parsed === undefined)
      throw new EngineError('invalid', `invalid ${what} address: ${address}`);
    if (!contains(prefix, parsed))
      throw new EngineError('invalid', `no matching subnet for ${what} ${address}`);
    return formatAddress(parsed);
  };
  const gateway =
    (config.Gateway ?? '') === ''
      ? gatewayOf(config, prefix)
      : inside('gateway', config.Gateway ?? '');
  const auxiliary = Object.fromEntries(
    Object.entries(config.AuxiliaryAddresses ?? {}).map(([name, address]) => [
      name,
      inside('aux-address', address),
    ]),
  );
  if (Object.values(auxiliary).includes(gateway))
    throw new EngineError('forbidden', 'Address already in use');
  const range = config.IPRange ?? '';
  return {
    prefix,
    subnet: {
      cidr: formatPrefix(prefix),
      gateway,
      auxiliary,
      configured: true,
      ...(range === '' ? {} : { range: checkRange(range, prefix) }),
    },
  };
}

/** As Docker: the first address of the range, or of the subnet. */
function gatewayOf(config: IpamConfig, prefix: Prefix): string {
  const range = parsePrefix(config.IPRange ?? '');
  const aux = Object.values(config.AuxiliaryAddresses ?? {}).map(
    (text) => parseAddress(text)?.value,
  );
  let value = first(range ?? prefix);
  if (value === first(prefix)) value += 1n;
  while (aux.includes(value)) value += 1n;
  return formatAddress({ family: prefix.family, value });
}

function checkRange(text: string, subnet: Prefix): string {
  const range = parsePrefix(text);
  if (range === undefined)
    throw new EngineError('invalid', `invalid ip-range ${text} : invalid CIDR block notation`);
  if (range.family !== subnet.family || range.bits < subnet.bits || !contains(subnet, range))
    throw new EngineError('invalid', `no matching subnet for range ${text}`);
  return formatPrefix(range);
}

function bridgeName(options: Readonly<Record<string, string>>, facts: CreateFacts): string {
  const name = options[`${OPTION}bridge.name`] ?? '';
  if (name === '') return `br-${facts.id.slice(0, 12)}`;
  // `pr…` are the helper's own links.
  if (
    !/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/.test(name) ||
    /^(lo|all|default|(pr|ve)\d.*)$/.test(name)
  ) {
    throw new EngineError(
      'invalid',
      `invalid bridge name "${name}": an interface name has at most 15 characters of [a-zA-Z0-9_.-]`,
    );
  }
  if (facts.bridges.includes(name))
    throw new EngineError(
      'forbidden',
      `cannot create network: conflicts with another network's bridge name ${name}`,
    );
  return name;
}

function mtuOf(options: Readonly<Record<string, string>>, facts: { enableIPv6: boolean }): number {
  const text = options[`${OPTION}driver.mtu`] ?? '';
  if (text === '' || text === '0') return DEFAULT_MTU;
  const least = facts.enableIPv6 ? 1280 : 68;
  if (!/^\d{2,5}$/.test(text) || Number(text) < least || Number(text) > 65535)
    throw new EngineError(
      'invalid',
      `invalid ${OPTION}driver.mtu "${text}": it is ${String(least)} to 65535`,
    );
  return Number(text);
}

function warningsOf(options: Readonly<Record<string, string>>): string[] {
  const warnings = IGNORED.filter(({ name, fine }) => {
    const value = options[name];
    return value !== undefined && !fine.includes(value.toLowerCase());
  }).map(({ name, why }) => `the option ${name}=${options[name] ?? ''} has no effect: ${why}`);
  const talk = options[ICC] ?? '';
  if (talk !== '' && ![...TRUE, ...FALSE].includes(talk))
    throw new EngineError('invalid', `invalid ${ICC} "${talk}": it is true or false`);
  const binding = options[`${OPTION}bridge.host_binding_ipv4`] ?? '';
  if (binding !== '' && isIP(binding) === 0)
    throw new EngineError(
      'invalid',
      `invalid ${OPTION}bridge.host_binding_ipv4 "${binding}": it is an IP address`,
    );
  return warnings;
}

/** Whether the network's containers are out of each other's reach. */
export function isIsolated(network: Pick<NetworkRecord, 'options'>): boolean {
  const talk = network.options[ICC] ?? '';
  return talk !== '' && !TRUE.includes(talk);
}

/** The address that ports of this network are published on when none is named; '' for all. */
export function hostBinding(network: Pick<NetworkRecord, 'options'>): string {
  const binding = network.options[`${OPTION}bridge.host_binding_ipv4`] ?? '';
  return binding === '0.0.0.0' ? '' : binding;
}

/** Whether the network's containers may reach the host's loopback at the gateway's address. */
export function allowsHostLoopback(
  network: Pick<NetworkRecord, 'options'>,
  engine: { readonly hostLoopback: boolean },
): boolean {
  const own = network.options['org.pinnace.host-loopback'];
  return own === undefined ? engine.hostLoopback : own === 'true' || own === '1';
}

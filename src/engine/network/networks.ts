/** The networks that exist: `none`, `host`, and `bridge`, which so far is a private name space with loopback only and says so. It makes none. */

import { createHash } from 'node:crypto';
import { EngineError } from '../../lib/errors.ts';
import type { NetworkInfo } from '../../lib/api/system.ts';
import type { NetworkMember, Networks } from './types.ts';

/** What a container on the default network is told. */
export const LOOPBACK_ONLY =
  'no bridge network in this version: the container gets a private network namespace with loopback only';

const PREDEFINED = [
  { name: 'bridge', driver: 'bridge' },
  { name: 'host', driver: 'host' },
  { name: 'none', driver: 'null' },
] as const;

/** `seed` makes the ids of one engine's networks stable and its own: the data root will do. */
export function createNetworks(parts: { seed: string; created: string }): Networks {
  let members: () => readonly NetworkMember[] = () => [];
  const idOf = (name: string) =>
    createHash('sha256').update(`${parts.seed}\0${name}`).digest('hex');
  const all = (): NetworkInfo[] =>
    PREDEFINED.map(({ name, driver }) =>
      describe({ name, driver, id: idOf(name), created: parts.created }, members()),
    );
  const get = (reference: string): NetworkInfo => find(all(), reference);
  return {
    list: (filters) => all().filter((network) => matches(network, filters)),
    get,
    create: (request) => {
      const name = request.Name ?? '';
      if (name === '') throw new EngineError('invalid', 'Name: a network needs a name');
      if (PREDEFINED.some((network) => network.name === name)) {
        throw new EngineError(
          'forbidden',
          `operation is not permitted on predefined ${name} network`,
        );
      }
      throw new EngineError('not-implemented', `network ${name} was not created: ${NOT_YET}`);
    },
    remove: (reference) => {
      const network = get(reference);
      throw new EngineError(
        'forbidden',
        `${network.Name} is a pre-defined network and cannot be removed`,
      );
    },
    connect: (reference, container) => {
      const network = get(reference);
      throw new EngineError(
        'not-implemented',
        `${container} cannot be connected to ${network.Name}: ${NOT_YET}`,
      );
    },
    disconnect: (reference, container) => {
      const network = get(reference);
      throw new EngineError(
        'not-implemented',
        `${container} cannot be disconnected from ${network.Name}: ${NOT_YET}`,
      );
    },
    prune: () => ({ NetworksDeleted: [] }),
    setMembers: (source) => {
      members = source;
    },
  };
}

const NOT_YET =
  'this version has the networks none, host and bridge (private, loopback only), and container:ID; use one of these';

function describe(
  network: { name: string; driver: string; id: string; created: string },
  members: readonly NetworkMember[],
): NetworkInfo {
  const containers: NetworkInfo['Containers'] = {};
  for (const member of members) {
    if (member.network !== network.name) continue;
    containers[member.id] = {
      Name: member.name,
      EndpointID: '',
      MacAddress: '',
      IPv4Address: '',
      IPv6Address: '',
    };
  }
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: [] },
    Internal: network.name === 'bridge',
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: containers,
    Options:
      network.name === 'bridge'
        ? {
            'com.docker.network.bridge.default_bridge': 'true',
            'org.pinnace.reach': 'loopback only',
          }
        : {},
    Labels: network.name === 'bridge' ? { 'org.pinnace.limitation': LOOPBACK_ONLY } : {},
  };
}

function find(networks: readonly NetworkInfo[], reference: string): NetworkInfo {
  const named = reference === 'default' ? 'bridge' : reference;
  const exact = networks.find((network) => network.Name === named || network.Id === named);
  if (exact !== undefined) return exact;
  const byPrefix =
    reference === '' ? [] : networks.filter((network) => network.Id.startsWith(reference));
  const [only, other] = byPrefix;
  if (other !== undefined)
    throw new EngineError(
      'invalid',
      `network ${reference} is ambiguous (${String(byPrefix.length)} matches found)`,
    );
  if (only === undefined) throw new EngineError('not-found', `network ${reference} not found`);
  return only;
}

type Test = (network: NetworkInfo, value: string) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  name: (network, value) => network.Name.includes(value),
  id: (network, value) => network.Id.startsWith(value),
  driver: (network, value) => network.Driver === value,
  scope: (network, value) => network.Scope === value,
  type: (_network, value) => value === 'builtin',
  label: (network, value) => {
    const [key = '', wanted] = value.split(/=(.*)/s);
    const actual = network.Labels[key];
    return actual !== undefined && (wanted === undefined || actual === wanted);
  },
  dangling: (network, value) =>
    (value === 'true' || value === '1') === (Object.keys(network.Containers).length === 0),
};

function matches(
  network: NetworkInfo,
  filters: Readonly<Record<string, readonly string[]>>,
): boolean {
  return Object.entries(filters).every(([name, values]) => {
    const test = TESTS[name];
    if (test === undefined) throw new EngineError('invalid', `invalid filter '${name}'`);
    return values.length === 0 || values.some((value) => test(network, value));
  });
}

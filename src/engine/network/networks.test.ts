/** Checks the networks themselves: the predefined ones, making, finding, filtering and removing, on a real database. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openDatabase } from '../storage/database.ts';
import { makePlaces } from '../storage/places.ts';
import type { Database } from '../storage/types.ts';
import { parsePrefix } from './addresses.ts';
import { networkMigrations } from './network-table.ts';
import { createNetworks } from './networks.ts';
import type { NetworkStore } from './networks.ts';
import type { Endpoint } from './types.ts';

let dir: string;
let database: Database;
let networks: NetworkStore;
let events: string[];
let used: Set<string>;

function open(): NetworkStore {
  return createNetworks({
    database,
    seed: '/data',
    clock: () => new Date('2026-01-01T00:00:00Z'),
    emit: (action, _id, { name = '' }) => events.push(`${action} ${name}`),
    possible: true,
    members: (id) => {
      const tenant = { id: 'c1', name: 'web', hostname: 'web' };
      const endpoint = { id: 'e1', mac: '02:42:00:00:00:01', addresses: ['10.0.0.2/24'] };
      return used.has(id) ? [{ tenant, endpoint: endpoint as unknown as Endpoint }] : [];
    },
    forget: () => Promise.resolve(),
    routes: () => [parsePrefix('172.18.0.0/16')].filter((prefix) => prefix !== undefined),
  });
}

beforeEach(() => {
  dir = mkdtempSync('/tmp/pinnace-networks-');
  const places = makePlaces({ dataRoot: join(dir, 'data'), runRoot: join(dir, 'run') });
  database = openDatabase(places, networkMigrations);
  events = [];
  used = new Set();
  networks = open();
});

afterEach(() => {
  database.close();
  rmSync(dir, { recursive: true, force: true });
});

const names = (filters: Record<string, string[]> = {}): string[] =>
  networks
    .list(filters)
    .map(({ Name }) => Name)
    .sort();

test('the three predefined networks are found by name, id and prefix, and the bridge has a subnet', () => {
  assert.deepEqual(names(), ['bridge', 'host', 'none']);
  const host = networks.get('host');
  assert.equal(networks.get(host.Id).Name, 'host');
  assert.equal(networks.get(host.Id.slice(0, 12)).Name, 'host');
  const bridge = networks.get('default');
  assert.deepEqual(bridge.IPAM.Config, [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }]);
  assert.equal(bridge.Options['com.docker.network.bridge.name'], 'docker0');
  assert.throws(() => networks.get('nope'), {
    kind: 'not-found',
    message: 'network nope not found',
  });
});

test('a network gets the first pool that neither networks nor routes of the host have', () => {
  const { Id, Warning } = networks.create({ Name: 'mine' });
  assert.equal(Warning, '');
  const mine = networks.get('mine');
  assert.equal(mine.Id, Id);
  assert.deepEqual(mine.IPAM.Config, [{ Subnet: '172.19.0.0/16', Gateway: '172.19.0.1' }]);
  assert.deepEqual(events, ['create mine']);
  assert.equal(networks.find('mine').number, 2);
  assert.equal(networks.find('mine').bridge, `br-${Id.slice(0, 12)}`);
});

test('networks outlive the engine', () => {
  networks.create({ Name: 'kept', Labels: { a: 'b' }, Options: { x: 'y' }, Internal: true });
  const before = networks.get('kept');
  networks = open();
  assert.deepEqual(networks.get('kept'), before);
  assert.deepEqual(names(), ['bridge', 'host', 'kept', 'none']);
});

test('what was configured is kept and shown', () => {
  networks.create({
    Name: 'both',
    EnableIPv6: true,
    IPAM: {
      Config: [
        { Subnet: '10.9.0.0/16', IPRange: '10.9.8.0/24', AuxiliaryAddresses: { nas: '10.9.1.1' } },
        { Subnet: 'fd12::/64', Gateway: 'fd12::99' },
      ],
    },
    Options: { 'com.docker.network.bridge.name': 'mybr', 'com.docker.network.driver.mtu': '9000' },
  });
  assert.deepEqual(networks.get('both').IPAM.Config, [
    {
      Subnet: '10.9.0.0/16',
      IPRange: '10.9.8.0/24',
      Gateway: '10.9.8.0',
      AuxiliaryAddresses: { nas: '10.9.1.1' },
    },
    { Subnet: 'fd12::/64', Gateway: 'fd12::99' },
  ]);
  const { bridge, mtu } = networks.find('both');
  assert.deepEqual([bridge, mtu], ['mybr', 9000]);
});

test("refusals have docker's words and kinds", () => {
  networks.create({ Name: 'mine', IPAM: { Config: [{ Subnet: '10.1.0.0/16' }] } });
  const cases: [Parameters<NetworkStore['create']>[0], string, RegExp][] = [
    [{ Name: 'mine' }, 'conflict', /^network with name mine already exists$/],
    [{ Name: 'host' }, 'forbidden', /^operation is not permitted on predefined host network$/],
    [{ Name: 'x', Driver: 'host' }, 'forbidden', /only one instance of "host" network is allowed/],
    [{ Name: 'x', Driver: 'nope' }, 'not-found', /plugin "nope" not found/],
    [{ Name: 'x', Driver: 'macvlan' }, 'not-implemented', /publish ports/],
    [{ Name: '' }, 'invalid', /name is empty/],
    [{ Name: 'a b' }, 'invalid', /invalid network name/],
    [{ Name: 'x', IPAM: { Config: [{ Subnet: '10.1.2.0/24' }] } }, 'forbidden', /Pool overlaps/],
    [
      { Name: 'x', IPAM: { Config: [{ Subnet: 'nope' }] } },
      'invalid',
      /invalid CIDR block notation/,
    ],
    [{ Name: 'x', IPAM: { Config: [{ Gateway: '10.5.0.1' }] } }, 'invalid', /needs a Subnet/],
    [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.2.0.0/16', Gateway: '10.3.0.1' }] } },
      'invalid',
      /no matching subnet for gateway 10.3.0.1/,
    ],
    [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.2.0.0/16', IPRange: '10.0.0.0/8' }] } },
      'invalid',
      /no matching subnet for range/,
    ],
    [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.2.0.0/16' }, { Subnet: '10.3.0.0/16' }] } },
      'forbidden',
      /multiple subnets/,
    ],
    [
      { Name: 'x', Options: { 'com.docker.network.bridge.name': '../../etc' } },
      'invalid',
      /bridge name/,
    ],
    [
      { Name: 'x', Options: { 'com.docker.network.bridge.name': 'pr2a' } },
      'invalid',
      /bridge name/,
    ],
    [{ Name: 'x', Options: { 'com.docker.network.driver.mtu': '1' } }, 'invalid', /mtu/],
    [{ Name: 'x', ConfigOnly: true }, 'not-implemented', /swarm/],
  ];
  for (const [request, kind, message] of cases)
    assert.throws(() => networks.create(request), { kind, message }, JSON.stringify(request));
  assert.deepEqual(names(), ['bridge', 'host', 'mine', 'none'], 'nothing half-made');
});

test('options without effect are told', () => {
  const { Warning } = networks.create({
    Name: 'routed',
    Options: { 'com.docker.network.bridge.enable_ip_masquerade': 'false' },
  });
  assert.match(Warning, /enable_ip_masquerade=false has no effect/);
  const option = 'com.docker.network.bridge.enable_icc';
  const apart = networks.create({ Name: 'apart', Options: { [option]: 'false' } });
  assert.equal(apart.Warning, '');
  assert.throws(() => networks.create({ Name: 'x', Options: { [option]: 'no' } }), {
    kind: 'invalid',
  });
});

test('filters choose networks and unknown ones are refused', () => {
  networks.create({ Name: 'labelled', Labels: { tier: 'web', a: '' } });
  assert.deepEqual(names({ driver: ['null'] }), ['none']);
  assert.deepEqual(names({ name: ['hos'] }), ['host']);
  assert.deepEqual(names({ type: ['custom'] }), ['labelled']);
  assert.deepEqual(names({ label: ['tier=web', 'a'] }), ['labelled']);
  assert.deepEqual(names({ label: ['tier=db'] }), []);
  assert.deepEqual(names({ dangling: ['true'] }), ['labelled']);
  used.add(networks.find('labelled').id);
  assert.deepEqual(names({ dangling: ['true'] }), []);
  assert.throws(() => names({ nope: ['x'] }), /invalid filter 'nope'/);
});

test('a network goes only when nobody is on it, and the predefined ones never', async () => {
  networks.create({ Name: 'mine' });
  const { id } = networks.find('mine');
  used.add(id);
  assert.equal(networks.get('mine').Containers['c1']?.IPv4Address, '10.0.0.2/24');
  await assert.rejects(networks.remove('mine'), {
    kind: 'forbidden',
    message: `error while removing network: network mine id ${id} has active endpoints`,
  });
  await assert.rejects(networks.remove('bridge'), {
    kind: 'forbidden',
    message: 'bridge is a pre-defined network and cannot be removed',
  });
  used.clear();
  await networks.remove('mine');
  assert.deepEqual(names(), ['bridge', 'host', 'none']);
  assert.deepEqual(events, ['create mine', 'destroy mine']);
});

test('prune takes what nobody uses and the filters choose', async () => {
  for (const name of ['one', 'two', 'three'])
    networks.create({ Name: name, Labels: { [name]: '' } });
  used.add(networks.find('one').id);
  assert.deepEqual(await networks.prune({ 'label!': ['two'] }), { NetworksDeleted: ['three'] });
  assert.deepEqual(await networks.prune({ until: ['2025-01-01'] }), { NetworksDeleted: [] });
  await assert.rejects(networks.prune({ name: ['x'] }), /invalid filter 'name'/);
  assert.deepEqual(await networks.prune({}), { NetworksDeleted: ['two'] });
});

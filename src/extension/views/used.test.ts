/** Tests of the trees of volumes and networks: who uses them, what a change refreshes, what hostile engines send. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkInfo, VolumeInfo } from '../../lib/api/system.ts';
import { Arrangements } from './arrangement.ts';
import { withBranches } from './branches.ts';
import { container, testMemory, testStore } from './fake-live.ts';
import { NETWORKS } from './networks.ts';
import type { Node } from './nodes.ts';
import type { Branch, Changed } from './row.ts';
import { UsedModel } from './used.ts';
import { VOLUMES } from './volumes.ts';

function volume(Name: string, facts: object = {}): VolumeInfo {
  const info: VolumeInfo = {
    Name,
    Driver: 'local',
    Mountpoint: `/v/${Name}`,
    CreatedAt: '2024-01-01T00:00:00Z',
    Labels: null,
    Options: null,
    Scope: 'local',
  };
  return { ...info, ...facts };
}

function network(Id: string, Name: string, facts: object = {}): NetworkInfo {
  const info: Partial<NetworkInfo> = {
    Id,
    Name,
    Created: '2024-01-01T00:00:00Z',
    Scope: 'local',
    Driver: 'bridge',
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: [{ Subnet: '10.1.0.0/16', Gateway: '10.1.0.1' }],
    },
    ...facts,
  };
  return info as NetworkInfo;
}

const on = (name: string, id: string): object => ({
  NetworkSettings: { Networks: { [name]: { NetworkID: id } } },
});
const mounts = (Name: string): object => ({
  Mounts: [{ Type: 'volume', Name, Source: '/x', Destination: '/data' }],
});

test('volumes say who uses them, and those without a name come last', async () => {
  const live = testStore({
    volume: [
      volume('f'.repeat(64)),
      volume('data-10'),
      volume('data-2', { Driver: 'nfs', UsageData: { Size: 2_000_000, RefCount: 1 } }),
    ],
    container: [container('db', mounts('data-2'))],
  });
  const model = new UsedModel(live, new Arrangements(testMemory()), VOLUMES);
  const rows = (await model.children(undefined)).map((node) => model.row(node));
  assert.deepEqual(
    rows.map(({ label, description, fold }) => [label, description, fold]),
    [
      ['data-2', 'nfs · 2 MB · used by db', 'closed'],
      ['data-10', 'not used', 'leaf'],
      ['ffffffffffff', 'not used', 'leaf'],
    ],
  );
  assert.equal(rows[0]?.context, 'volume used');
  assert.equal(rows[2]?.accessible, 'volume without a name ffffffffffff, driver local, not used');
});

test('networks show their containers, which are rows of their own with the container behind them', async () => {
  const live = testStore({
    network: [
      network('n1', 'shop'),
      network('n2', 'host', { Driver: 'host', IPAM: { Config: null } }),
    ],
    container: [
      container('b', on('shop', 'n1')),
      container('a', on('shop', '')),
      container('c', on('host', 'n2')),
    ],
  });
  const model = new UsedModel(live, new Arrangements(testMemory()), NETWORKS);
  const [host, shop] = await model.children(undefined);
  assert.ok(host && shop);
  assert.equal(model.row(host).description, '1 container');
  assert.match(model.row(host).context, /\bpredefined\b/);
  assert.equal(model.row(shop).description, 'bridge · 10.1.0.0/16 · 2 containers');
  const users = await model.children(shop);
  assert.deepEqual(
    users.map((node) => model.row(node).label),
    ['a', 'b'],
  );
  assert.match(model.row(users[0] as Node).context, /^container running member of-network$/);
  assert.equal(model.parent(users[0] as Node), shop);
  assert.equal((await model.children(shop))[0], users[0]);
});

test('a container that joins, changes or leaves refreshes only the networks it is about', async () => {
  const live = testStore({ network: [network('n1', 'a'), network('n2', 'b')] });
  const model = new UsedModel(live, new Arrangements(testMemory()), NETWORKS);
  const changes: Changed<Node>[] = [];
  model.onDidChange((changed) => void changes.push(changed));
  const [a, b] = await model.children(undefined);
  live.put('container', container('c', on('a', 'n1')));
  live.put('container', container('c', on('b', 'n2')));
  live.put('container', container('other'));
  live.drop('container', 'c');
  assert.deepEqual(changes, [[a], [a, b], [b]]);
});

test('renamed, new and lost networks', async () => {
  const live = testStore({ network: [network('n1', 'b')] });
  const arrangements = new Arrangements(testMemory());
  const model = new UsedModel(live, arrangements, NETWORKS);
  const labels = async (): Promise<string[]> =>
    (await model.children(undefined)).map((node) => model.row(node).label);
  assert.deepEqual(await labels(), ['b']);
  live.put('network', network('n2', 'a'));
  live.put('network', network('n1', 'z'));
  assert.deepEqual(await labels(), ['a', 'z']);
  arrangements.reload('networks', 'z 10.1');
  assert.deepEqual(await labels(), ['z']);
  live.drop('network', 'n1');
  arrangements.reload('networks');
  assert.deepEqual(await labels(), ['a']);
});

test('what hostile engines send is read without a fall and shown without markup', async () => {
  const live = testStore({
    network: [network('n1', '<b>|x', { IPAM: null, Labels: null, Driver: null, Scope: null })],
    volume: [
      volume('*v*', { Labels: { '[a](command:b)': '`' }, CreatedAt: null, UsageData: null }),
    ],
  });
  const arrangements = new Arrangements(testMemory());
  for (const model of [
    new UsedModel(live, arrangements, NETWORKS),
    new UsedModel(live, arrangements, VOLUMES),
  ]) {
    const [node] = await model.children(undefined);
    assert.ok(node);
    assert.ok(model.row(node).accessible.length > 0);
    const hover = model.hover(node);
    assert.doesNotMatch(hover?.markdown ?? '', /command:|<b>|`|\*v\*/);
    assert.deepEqual(hover?.commands, []);
  }
});

test("another area's rows hang beneath ours, and find their way up", async () => {
  const live = testStore({ volume: [volume('data')] });
  const model = new UsedModel(live, new Arrangements(testMemory()), VOLUMES);
  const file = { path: '/etc' };
  const branch: Branch<typeof file> = {
    beneath: ['volume'],
    owns: (element): element is typeof file => 'path' in element,
    roots: () => [file],
    children: () => [],
    parent: () => undefined,
    row: () => ({ id: 'f', label: 'Files', context: 'file', fold: 'closed', accessible: 'files' }),
    onDidChange: () => ({ dispose: () => undefined }),
  };
  const joined = withBranches(model, [branch]);
  const [node] = await joined.children(undefined);
  assert.ok(node);
  assert.equal(joined.row(node).fold, 'closed');
  assert.deepEqual(await joined.children(node), [file]);
  assert.equal(joined.parent(file), node);
  assert.equal(joined.row(file).label, 'Files');
});

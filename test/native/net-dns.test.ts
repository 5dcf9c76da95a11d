/** Names at the gateway through the whole of `net`: a container asks its gateway, which knows the containers' names and asks the host's resolvers for the rest; as root and as an ordinary user. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { World, type Box } from './net-world.ts';

const SUBNETS = [
  { cidr: '172.18.0.0/16', gateway: '172.18.0.1' },
  { cidr: 'fd12:3456::/64', gateway: 'fd12:3456::1' },
];
const GATEWAYS = SUBNETS.map(({ gateway }) => gateway);
const ASK = join(import.meta.dirname, 'dns-ask.ts');
const UPSTREAM = join(import.meta.dirname, 'dns-upstream.ts');

for (const as of ['root', 'user'] as const)
  describe(`names at the gateway, as ${as}`, () => suite(as));

function suite(as: 'root' | 'user'): void {
  let world: World;
  let one: Box;
  let two: Box;
  const asked: string[] = [];

  const ask = async (box: Box, server: string, kind: string, name: string): Promise<unknown> => {
    const done = await box.run([process.execPath, ASK, server, kind, name]);
    assert.equal(done.status, 0, done.stderr);
    return JSON.parse(done.stdout) as unknown;
  };
  const names = (table: object): Promise<unknown> =>
    world.must({ op: 'names', network: '1', names: {}, clients: {}, forward: true, ...table });

  before(async () => {
    world = await World.make(as, 'nameserver 127.0.0.77\n');
    for (const [address, text] of [
      ['127.0.0.77', 'first'],
      ['127.0.0.78', 'second'],
    ] as const) {
      const upstream = world.spawn([process.execPath, UPSTREAM, address, text], 'inside');
      assert.equal(await upstream.line(), 'ready');
      upstream.child.stdout?.on('data', (data) => asked.push(...String(data).split('\n')));
    }
    await world.network('1', SUBNETS);
    one = await world.box('1', ['172.18.0.2/16', 'fd12:3456::2/64'], GATEWAYS);
    two = await world.box('1', ['172.18.0.3/16', 'fd12:3456::3/64'], GATEWAYS);
    await names({
      names: { web: ['172.18.0.2', 'fd12:3456::2'], db: ['172.18.0.3'] },
      clients: { '172.18.0.2': { cache: ['172.19.0.4'] } },
    });
  });
  after(() => world.end());

  test('every family and both gateways answer for the network’s names, backwards too', async () => {
    assert.deepEqual(await ask(one, '172.18.0.1', 'A', 'web'), ['172.18.0.2']);
    assert.deepEqual(await ask(two, '172.18.0.1', 'AAAA', 'WEB'), ['fd12:3456::2']);
    assert.deepEqual(await ask(two, '[fd12:3456::1]:53', 'A', 'db'), ['172.18.0.3']);
    assert.deepEqual(await ask(two, '172.18.0.1', 'PTR', '172.18.0.2'), ['web']);
    assert.equal(await ask(one, '172.18.0.1', 'AAAA', 'db'), 'ENODATA');
  });

  test('what one client may see besides is hidden from the others', async () => {
    assert.deepEqual(await ask(one, '172.18.0.1', 'A', 'cache'), ['172.19.0.4']);
    assert.deepEqual(await ask(two, '172.18.0.1', 'A', 'cache'), ['10.9.9.1']);
  });

  test('other names are the host’s resolvers’, by TCP where the answer is large', async () => {
    assert.deepEqual(await ask(one, '172.18.0.1', 'A', 'example.org'), ['10.9.9.1']);
    const many = (await ask(one, '172.18.0.1', 'A', 'big.example')) as string[];
    assert.equal(many.length, 60);
    assert.ok(asked.includes('tcp big.example'), asked.join());
  });

  test('a changed resolv.conf counts at the next question', async () => {
    assert.deepEqual(await ask(one, '172.18.0.1', 'TXT', 'who.example'), [['first']]);
    world.resolve('nameserver 127.0.0.78\n');
    assert.deepEqual(await ask(one, '172.18.0.1', 'TXT', 'who.example'), [['second']]);
    world.resolve('nameserver 127.0.0.77\n');
  });

  test('a name is gone and another is there as soon as the table says so', async () => {
    await names({ names: { late: ['172.18.0.9'] } });
    assert.deepEqual(await ask(one, '172.18.0.1', 'A', 'late'), ['172.18.0.9']);
    assert.deepEqual(await ask(one, '172.18.0.1', 'A', 'web'), ['10.9.9.1']);
  });

  test('an internal network forwards nothing', async () => {
    const subnet = { cidr: '172.20.0.0/16', gateway: '172.20.0.1' };
    await world.network('2', [subnet], { internal: true });
    const box = await world.box('2', ['172.20.0.2/16'], []);
    await world.must({
      op: 'names',
      network: '2',
      names: { in: ['172.20.0.2'] },
      clients: {},
      forward: false,
    });
    assert.deepEqual(await ask(box, '172.20.0.1', 'A', 'in'), ['172.20.0.2']);
    asked.length = 0;
    assert.equal(await ask(box, '172.20.0.1', 'A', 'secret.example'), 'ESERVFAIL');
    assert.deepEqual(
      asked.filter((line) => line.includes('secret')),
      [],
    );
  });

  test('a network’s names are not told to another network', async () => {
    const subnet = { cidr: '172.21.0.0/16', gateway: '172.21.0.1' };
    await world.network('3', [subnet]);
    const box = await world.box('3', ['172.21.0.2/16'], ['172.21.0.1']);
    await names({ names: { web: ['172.18.0.2'] } });
    await world.must({ op: 'names', network: '3', names: {}, clients: {}, forward: true });
    assert.notDeepEqual(await ask(box, '172.18.0.1', 'A', 'web'), ['172.18.0.2']);
    assert.deepEqual(await ask(box, '172.21.0.1', 'A', 'web'), ['10.9.9.1']);
  });

  test('an uplink that is killed comes back with its names', async () => {
    const uplink = await world.uplink('1');
    assert.ok(uplink > 1);
    process.kill(uplink, 'SIGKILL');
    const end = Date.now() + 5000;
    while ((await world.uplink('1')) === uplink && Date.now() < end) await delay(10);
    assert.deepEqual(await ask(one, '172.18.0.1', 'A', 'web'), ['172.18.0.2']);
    assert.deepEqual(await ask(one, '172.18.0.1', 'A', 'example.org'), ['10.9.9.1']);
  });
}

/** A network's traffic through the whole of `net`: what containers reach, what they must not, and how connections and flows begin, end and fail; as root and as an ordinary user with one id. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { command } from '../support/engine.ts';
import { World, type Box } from './net-world.ts';

const SUBNETS = [
  { cidr: '172.18.0.0/16', gateway: '172.18.0.1' },
  { cidr: 'fd12:3456::/64', gateway: 'fd12:3456::1' },
];
const GATEWAYS = SUBNETS.map(({ gateway }) => gateway);
const ACT = join(import.meta.dirname, 'uplink-act.ts');
/** The world's own addresses: beyond its loopback, and with a network behind them that nobody answers for. */
const HOST = '192.0.2.1';
const HOST6 = '2001:db8::1';

for (const as of ['root', 'user'] as const)
  describe(`a network's traffic, as ${as}`, () => suite(as));

function suite(as: 'root' | 'user'): void {
  let world: World;
  let one: Box;
  let two: Box;
  let tcp: number;
  let udp: number;

  const act = async (box: Box, ...words: readonly (string | number)[]): Promise<unknown> => {
    const done = await box.run([process.execPath, ACT, ...words.map(String)]);
    assert.equal(done.status, 0, done.stderr);
    return JSON.parse(done.stdout) as unknown;
  };
  const serve = async (kind: string, host: string, port = 0): Promise<number> =>
    Number(await world.spawn([process.execPath, ACT, kind, host, String(port)], 'inside').line());
  const onHost = async (...words: string[]): Promise<string> => {
    const [program = '', ...rest] = [...world.host, ...words];
    const done = await command([program, ...rest]);
    assert.equal(done.status, 0, done.stderr);
    return done.stdout;
  };
  const descriptors = async (): Promise<number> =>
    readdirSync(`/proc/${await world.uplink('1')}/fd`).length;
  const residentKiB = async (): Promise<number> =>
    Number(
      /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${await world.uplink('1')}/status`, 'utf8'))?.[1],
    );
  const counts = async (): Promise<{ connections: number; flows: number }> => {
    const state = await world.must({ op: 'state' });
    const [network] = state['networks'] as { connections: number; flows: number }[];
    return { connections: network?.connections ?? -1, flows: network?.flows ?? -1 };
  };

  before(async () => {
    world = await World.make(as, 'nameserver 127.0.0.77\n');
    await onHost('ip', 'link', 'add', 'outer', 'type', 'bridge');
    await onHost('ip', 'addr', 'add', `${HOST}/24`, 'dev', 'outer');
    await onHost('ip', 'addr', 'add', `${HOST6}/64`, 'dev', 'outer', 'nodad');
    await onHost('ip', 'link', 'set', 'outer', 'up');
    await onHost('ip', 'route', 'add', 'unreachable', '198.51.100.0/24');
    await onHost('ip', 'route', 'add', 'prohibit', '203.0.113.0/24');
    tcp = await serve('serve-tcp', '0.0.0.0');
    udp = await serve('serve-udp', '0.0.0.0');
    await serve('serve-tcp', HOST6, tcp);
    await serve('serve-tcp', '::1', tcp);
    await serve('serve-udp', HOST6, udp);
    await world.network('1', SUBNETS);
    await world.network('2', [{ cidr: '172.19.0.0/16', gateway: '172.19.0.1' }]);
    one = await world.box('1', ['172.18.0.2/16', 'fd12:3456::2/64'], GATEWAYS);
    two = await world.box('1', ['172.18.0.3/16', 'fd12:3456::3/64'], GATEWAYS);
  });
  after(() => world.end());

  test('a connection reaches the host over both families and ends in halves', async () => {
    assert.deepEqual(await act(one, 'talk', HOST, tcp, 'hello '), { ok: `hello bye ${HOST}` });
    assert.deepEqual(await act(one, 'talk', HOST6, tcp, 'hello '), { ok: `hello bye ${HOST6}` });
  });

  test('a refused, an unreachable and a prohibited destination are just that', async () => {
    assert.deepEqual(await act(one, 'talk', HOST, 1), { error: 'ECONNREFUSED' });
    assert.deepEqual(await act(one, 'talk', HOST6, 1), { error: 'ECONNREFUSED' });
    assert.deepEqual(await act(one, 'talk', '198.51.100.1', 80), { error: 'EHOSTUNREACH' });
    assert.deepEqual(await act(one, 'talk', '203.0.113.1', 80), { error: 'EHOSTUNREACH' });
    assert.deepEqual(await act(one, 'talk', '233.252.0.1', 80), { error: 'ENETUNREACH' });
  });

  test('a reset comes through as a reset', async () => {
    assert.deepEqual(await act(one, 'talk', HOST, tcp, 'reset'), { error: 'ECONNRESET' });
    await untilQuiet(counts);
  });

  test('megabytes come back unchanged', async () => {
    assert.deepEqual(await act(one, 'bulk', HOST, tcp, 64), { ok: { echoed: true, wrong: 0 } });
    assert.deepEqual(await act(one, 'bulk', HOST6, tcp, 16), { ok: { echoed: true, wrong: 0 } });
  });

  test('two thousand connections at once are all served and leave nothing', async () => {
    const before = await descriptors();
    assert.deepEqual(await act(one, 'burst', HOST, tcp, 2000), { ok: { right: 2000 } });
    await untilQuiet(counts);
    assert.ok((await descriptors()) <= before + 2, `${await descriptors()} > ${before}`);
    assert.ok((await residentKiB()) < 30_000, `${await residentKiB()} KiB`);
  });

  test('a scan of every port sees the truth', async () => {
    const seen = (await act(one, 'scan', HOST, 1, 65_535)) as { ok: Record<string, number> };
    assert.deepEqual(seen.ok, { open: 1, ECONNREFUSED: 65_534 });
    await untilQuiet(counts);
  });

  test('readers that take nothing cost bounded memory and go with their container', async () => {
    const holder = await world.box('1', ['172.18.0.9/16'], ['172.18.0.1']);
    const prefix = ['nsenter', '-t', String(holder.pid), '-n', '--'];
    const words = [...prefix, process.execPath, ACT, 'stall', HOST, String(tcp), '400'];
    const stalled = world.spawn(words, 'here');
    assert.equal(await stalled.line(), '"stalled"');
    await delay(500);
    assert.ok((await counts()).connections >= 400);
    assert.ok((await residentKiB()) < 30_000, `${await residentKiB()} KiB`);
    assert.deepEqual(await act(one, 'talk', HOST, tcp, 'still '), { ok: `still bye ${HOST}` });
    process.kill(holder.pid, 'SIGKILL');
    await untilQuiet(counts);
    stalled.child.kill('SIGKILL');
  });

  test('datagrams of every size come back, and a closed port says so', async () => {
    const sizes = '0,1,1472,9000,65507';
    assert.deepEqual(await act(one, 'datagrams', HOST, udp, sizes), {
      ok: sizes.split(',').map(Number),
    });
    assert.deepEqual(await act(one, 'datagrams', HOST6, udp, '1,60000'), { ok: [1, 60000] });
    assert.deepEqual(await act(one, 'datagrams', HOST, 1, '1'), { error: 'ECONNREFUSED' });
    assert.deepEqual(await act(one, 'datagrams', '203.0.113.1', 9, '1'), {
      error: 'EHOSTUNREACH',
    });
  });

  test('the host’s loopback is no destination in any notation', async () => {
    await onHost('ip', 'addr', 'add', '198.18.0.1/32', 'dev', 'lo');
    for (const server of ['0.0.0.1', '240.0.0.1', '::127.0.0.1']) {
      const family = server.includes(':') ? ['-6'] : [];
      const via = server.includes(':') ? 'fd12:3456::1' : '172.18.0.1';
      await one.run(['ip', ...family, 'route', 'replace', server, 'via', via]);
      const answer = (await act(one, 'talk', server, tcp)) as { error?: string };
      assert.notEqual(answer.error, undefined, server);
    }
    // A container's own table sends 127/8 and ::1 to itself; forged packets are the frame tests' part.
    assert.deepEqual(await act(one, 'talk', '172.18.0.1', tcp), { error: 'ECONNREFUSED' });
    assert.deepEqual(await act(one, 'talk', 'fd12:3456::1', tcp), { error: 'ECONNREFUSED' });
    assert.deepEqual(await act(one, 'datagrams', '172.18.0.1', udp, '1'), {
      error: 'ECONNREFUSED',
    });
  });

  test('the gateway leads to the host’s loopback once that is allowed', async () => {
    await world.network('1', SUBNETS, { hostLoopback: true });
    assert.deepEqual(await act(one, 'talk', '172.18.0.1', tcp, 'a '), { ok: 'a bye 127.0.0.1' });
    assert.deepEqual(await act(one, 'talk', 'fd12:3456::1', tcp, 'a '), { ok: 'a bye ::1' });
    assert.deepEqual(await act(one, 'datagrams', '172.18.0.1', udp, '7'), { ok: [7] });
    await world.network('1', SUBNETS);
  });

  test('other networks and their gateways are out of reach, neighbours are not', async () => {
    const other = await world.box('2', ['172.19.0.2/16'], ['172.19.0.1']);
    for (const server of ['172.19.0.1', '172.19.0.2']) {
      for (const port of [53, 20_001, tcp]) {
        assert.deepEqual(await act(one, 'talk', server, port), { error: 'EHOSTUNREACH' });
        assert.deepEqual(await act(one, 'datagrams', server, port, '1'), { error: 'EHOSTUNREACH' });
      }
      assert.notEqual((await one.run(['ping', '-c1', '-W1', server])).status, 0);
    }
    for (const proxy of [20_000, 20_001]) {
      assert.deepEqual(await act(one, 'talk', '172.18.0.1', proxy), { error: 'ECONNREFUSED' });
    }
    process.kill(other.pid, 'SIGKILL');
    assert.equal((await one.run(['ping', '-c1', '-W2', '172.18.0.3'])).status, 0);
    assert.deepEqual(await act(one, 'talk', '172.18.0.3', 9), { error: 'ECONNREFUSED' });
  });

  test('an internal network reaches its own addresses only', async () => {
    const subnet = { cidr: '172.20.0.0/16', gateway: '172.20.0.1' };
    await world.network('3', [subnet], { internal: true, hostLoopback: true });
    const box = await world.box('3', ['172.20.0.2/16'], ['172.20.0.1']);
    assert.deepEqual(await act(box, 'talk', HOST, tcp), { error: 'EHOSTUNREACH' });
    assert.deepEqual(await act(box, 'datagrams', HOST, udp, '1'), { error: 'EHOSTUNREACH' });
    assert.deepEqual(await act(box, 'talk', '172.20.0.1', tcp), { error: 'ECONNREFUSED' });
    assert.equal((await box.run(['ping', '-c1', '-W2', '172.20.0.1'])).status, 0);
    process.kill(box.pid, 'SIGKILL');
  });

  test('an echo request is answered, or told why not', async () => {
    assert.equal((await one.run(['ping', '-c1', '-W2', '172.18.0.1'])).status, 0);
    assert.equal((await one.run(['ping', '-c1', '-W2', 'fd12:3456::1'])).status, 0);
    // Where the host forbids ping sockets, only root's raw socket is left.
    const group = readFileSync('/proc/sys/net/ipv4/ping_group_range', 'utf8').split(/\s+/);
    const allowed = as === 'root' || Number(group[0]) <= Number(group[1]);
    for (const server of [HOST, HOST6]) {
      const done = await one.run(['ping', '-c1', '-W2', server]);
      assert.equal(done.status, allowed ? 0 : 1, done.stdout);
      if (!allowed) assert.match(done.stdout, /filtered|prohibited/);
      // In fragments, as the kernel on either side makes them.
      for (const size of allowed ? [1472, 1473, 5000, 60_000] : []) {
        const large = await one.run(['ping', '-c1', '-W2', '-s', String(size), server]);
        assert.equal(large.status, 0, `${server} ${String(size)}: ${large.stdout}`);
      }
    }
    if (!allowed) return;
    assert.match((await one.run(['ping', '-c1', '-t1', '-W2', HOST])).stdout, /exceeded/);
    assert.match((await one.run(['ping', '-c1', '-W2', '198.51.100.1'])).stdout, /Unreachable/);
  });

  test('the gateway answers when it is asked whether it is still there', async () => {
    const shown = await one.run(['ip', '-6', 'neigh', 'show', 'fd12:3456::1']);
    const mac = /lladdr (\S+)/.exec(shown.stdout)?.[1] ?? '';
    const entry = ['fd12:3456::1', 'lladdr', mac, 'dev', 'eth0', 'nud', 'probe'];
    await one.run(['ip', '-6', 'neigh', 'replace', ...entry]);
    await delay(500);
    const after = await one.run(['ip', '-6', 'neigh', 'show', 'fd12:3456::1']);
    assert.match(after.stdout, /REACHABLE/);
  });

  test('a published port leads to the container over both families, and resets without a server', async () => {
    const ports = [
      { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 0, address: '172.18.0.3', port: 80 },
      { protocol: 'tcp', hostAddress: '::1', hostPort: 0, address: 'fd12:3456::3', port: 80 },
      { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 0, address: '172.18.0.3', port: 81 },
    ];
    const answer = await world.must({ op: 'publish', network: '1', endpoint: 'endpoint2', ports });
    const [v4, v6, flow] = (answer['ports'] as { hostPort: number }[]).map((port) => port.hostPort);
    const host: Box = { pid: 0, run: (words) => command([...world.host, ...words]) };
    assert.deepEqual(await act(host, 'talk', '127.0.0.1', v4 ?? 0), { error: 'ECONNRESET' });
    const inside = (kind: string, address: string, port: number): Promise<string> => {
      const prefix = ['nsenter', '-t', String(two.pid), '-n', '--'];
      return world
        .spawn([...prefix, process.execPath, ACT, kind, address, String(port)], 'here')
        .line();
    };
    await inside('serve-tcp', '172.18.0.3', 80);
    await inside('serve-tcp', 'fd12:3456::3', 80);
    await inside('serve-udp', '172.18.0.3', 81);
    assert.deepEqual(await act(host, 'talk', '127.0.0.1', v4 ?? 0, 'x '), {
      ok: 'x bye 172.18.0.1',
    });
    assert.deepEqual(await act(host, 'talk', '::1', v6 ?? 0, 'x '), { ok: 'x bye fd12:3456::1' });
    assert.deepEqual(await act(host, 'burst', '127.0.0.1', v4 ?? 0, 1000), { ok: { right: 1000 } });
    assert.deepEqual(await act(host, 'talk', '127.0.0.1', v4 ?? 0, 'reset'), {
      error: 'ECONNRESET',
    });
    for (const called of ['127.0.0.1', HOST])
      assert.deepEqual(await act(host, 'datagrams', called, flow ?? 0, '1,65507'), {
        ok: [1, 65507],
      });
    await untilQuiet(counts);
  });

  test('an uplink without traffic takes no time and has no rights', async () => {
    await untilQuiet(counts);
    const uplink = await world.uplink('1');
    const ticks = (): number => {
      const fields = readFileSync(`/proc/${uplink}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return Number(fields[11]) + Number(fields[12]);
    };
    const start = ticks();
    await delay(1500);
    assert.ok(ticks() - start <= 1, `${ticks() - start} ticks`);
    const status = readFileSync(`/proc/${uplink}/status`, 'utf8');
    assert.match(status, /CapEff:\s+0+\n/);
    assert.match(status, /NoNewPrivs:\s+1/);
  });
}

/** Waits until no connection is left. */
async function untilQuiet(counts: () => Promise<{ connections: number }>): Promise<void> {
  const end = Date.now() + 15_000;
  while ((await counts()).connections > 0) {
    assert.ok(Date.now() < end, `${(await counts()).connections} connections are left`);
    await delay(50);
  }
}

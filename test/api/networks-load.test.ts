/** Networks under load and abuse: thousands of connections, clients that do not read, resets, scans, broken frames, and helpers that are killed. The uplink must neither die of it, nor grow, nor spin. */

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { archiveOf } from '../../scripts/lib/images.ts';
import { sendSignal } from '../support/children.ts';
import {
  startTestEngine,
  type EngineMode,
  type Result,
  type TestEngine,
} from '../support/engine.ts';
import {
  fetchText,
  freePort,
  hostAddress,
  removeAll,
  serveEcho,
  serveHttp,
  serveTcp,
  untilOpen,
  type Server,
} from '../support/network.ts';
import { compileTraffic } from '../support/traffic.ts';

for (const mode of ['system', 'single-id'] as const) {
  describe(`networks under load in mode ${mode}`, () => suite(mode));
}

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let tools: string;
  let port: number;
  let web: Server;
  const host = hostAddress();
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);
  const start = (name: string, ...flags: string[]): Promise<string> =>
    docker('run', '-d', '--name', name, '-v', `${tools}:/t:ro`, ...flags);
  const traffic = (name: string, ...words: string[]): Promise<Result> =>
    engine.tryDocker(['exec', name, '/t/traffic', ...words]);

  before(async () => {
    tools = mkdtempSync('/tmp/pinnace-traffic-');
    await compileTraffic(tools);
    engine = await startTestEngine(mode);
    await docker('load', '-i', archiveOf('busybox:latest'));
    port = await freePort();
    web = await serveHttp('0.0.0.0', 'web');
  });
  afterEach(() => removeAll(engine));
  after(async () => {
    web.close();
    rmSync(tools, { recursive: true, force: true });
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  /** The one uplink that serves the default bridge. */
  const uplink = (): number => helpers(engine).find(({ verb }) => verb === 'uplink')?.pid ?? 0;
  const reaches = (name: string): Promise<Result> =>
    engine.tryDocker(['exec', name, 'wget', '-qO-', `http://${host}:${web.port}/`]);

  test('two thousand connections out are open at once, and a new one is as quick as ever', async () => {
    const open = new Set<Socket>();
    const server = await serveTcp('0.0.0.0', (socket) => {
      open.add(socket);
      socket.on('data', (data) => socket.write(data));
    });
    await start('many', 'busybox', 'sleep', '100000');
    const holder = hold(engine, [
      'exec',
      '-i',
      'many',
      '/t/traffic',
      'hold',
      host,
      String(server.port),
      '2000',
    ]);
    await said(holder, 'ready');
    assert.equal(open.size, 2000);
    const quick = await traffic('many', 'latency', host, String(server.port), '500');
    assert.ok(Number(quick.stdout) < 5000, `${quick.stdout} µs ${quick.stderr}`);
    assert.ok(megabytes(uplink()) < 30, `${megabytes(uplink())} MB`);
    holder.stdin?.end();
    await once(holder, 'exit');
    await until(
      () => [...open].every((socket) => socket.readableEnded || socket.destroyed),
      'the ends of all',
    );
    server.close();
  });

  test('two thousand clients of a published port are served at once', async () => {
    await start('served', '-p', `${port}:81`, 'busybox', '/t/traffic', 'serve', '81');
    await untilOpen('127.0.0.1', port);
    const sockets: Socket[] = [];
    for (let batch = 0; batch < 20; batch += 1)
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => opened(port)))));
    for (const [index, socket] of sockets.entries()) {
      const answer = once(socket, 'data');
      socket.write(`client ${index}`);
      assert.equal(String((await answer)[0]), `client ${index}`);
    }
    for (const socket of sockets) socket.destroy();
  });

  test('clients that do not read hold back their own servers only', async () => {
    let sent = 0;
    const server = await serveTcp('0.0.0.0', (socket) => {
      const block = Buffer.alloc(65_536, 'x');
      const fill = (): void => {
        do sent += block.length;
        while (socket.write(block));
      };
      socket.once('data', fill);
      socket.on('drain', fill);
    });
    await start('lazy', 'busybox', 'sleep', '100000');
    const holder = hold(engine, [
      'exec',
      '-i',
      'lazy',
      '/t/traffic',
      'hold',
      host,
      String(server.port),
      '100',
    ]);
    await said(holder, 'ready');
    await delay(1500);
    const before = sent;
    await delay(500);
    assert.equal(sent, before, 'the servers stand still');
    assert.ok(sent / 100 < 16_000_000, `${sent / 100} bytes for each`);
    assert.ok(megabytes(uplink()) < 30, `${megabytes(uplink())} MB`);
    assert.match((await reaches('lazy')).stdout, /^web/);
    holder.stdin?.end();
    await once(holder, 'exit');
    server.close();
  });

  test('a reset is a reset on the other side, in both directions', async () => {
    const server = await serveTcp('0.0.0.0', (socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    await start('reset', '-p', `${port}:81`, 'busybox', '/t/traffic', 'serve', '81');
    const out = await traffic('reset', 'latency', host, String(server.port), '10');
    assert.match(out.stderr, /Connection reset by peer/);
    server.close();
    await untilOpen('127.0.0.1', port);
    for (let turn = 0; turn < 200; turn += 1) (await opened(port)).resetAndDestroy();
    const sockets = (): Promise<string> => docker('exec', 'reset', 'cat', '/proc/net/tcp');
    await until(
      async () => !/ 01 /.test((await sockets()).replace(/.*:0051 00000000:0000.*/, '')),
      'no open ones',
    );
  });

  test('the largest datagram goes out and comes back', async () => {
    const echo = await serveEcho('0.0.0.0');
    await start('datagrams', 'busybox', 'sleep', '100000');
    for (const size of ['1', '1472', '9000', '65507']) {
      const sent = await traffic('datagrams', 'datagram', host, String(echo.port), size);
      assert.equal(sent.stdout.trim(), size, sent.stderr);
    }
    echo.close();
  });

  test('a scan sees what is there: open ones open, closed ones refused, none silent', async () => {
    await start('scanner', 'busybox', 'sleep', '100000');
    const [from, to] = [Math.max(1, web.port - 300), Math.min(65_535, web.port + 300)];
    const seen = await traffic('scanner', 'scan', host, String(from), String(to));
    const words = seen.stdout.trim().split(' ');
    assert.ok(words.includes(String(web.port)), seen.stdout + seen.stderr);
    assert.match(seen.stdout, /silent 0$/m);
    const gateway = await docker('inspect', '--format', '{{.NetworkSettings.Gateway}}', 'scanner');
    for (const [first, last, open] of [
      ['1', '2000', '53 refused 1999 silent 0'],
      ['19900', '21000', 'refused 1101 silent 0'],
    ] as const)
      assert.equal((await traffic('scanner', 'scan', gateway, first, last)).stdout.trim(), open);
  });

  test('broken and random frames harm nobody', async () => {
    await start('mangler', '--cap-add', 'NET_RAW', 'busybox', 'sleep', '100000');
    assert.match((await reaches('mangler')).stdout, /^web/);
    const serving = uplink();
    const sent = await traffic('mangler', 'mangle', '172.17.0.1', '1', '30000');
    assert.ok(Number(sent.stdout) > 25_000, sent.stdout + sent.stderr);
    assert.match((await reaches('mangler')).stdout, /^web/);
    assert.equal(uplink(), serving, 'the same uplink serves');
  });

  test('a link that goes down and comes up carries again', async () => {
    await start('flapper', '--cap-add', 'NET_ADMIN', 'busybox', 'sleep', '100000');
    const script =
      'gateway=$(ip route | sed -n "s/default via \\([^ ]*\\).*/\\1/p"); for turn in 1 2 3 4 5; do ip link set eth0 down; ip link set eth0 up; done; ip route add default via $gateway';
    await docker('exec', 'flapper', 'sh', '-c', script);
    assert.match((await reaches('flapper')).stdout, /^web/);
  });

  test('an uplink that is killed is back at once, with the ports and the names', async () => {
    await docker('network', 'create', 'held');
    await start('kept', '-p', `${port}:81`, 'busybox', '/t/traffic', 'serve', '81');
    await untilOpen('127.0.0.1', port);
    for (let turn = 0; turn < 3; turn += 1) {
      const killed = uplink();
      assert.ok(sendSignal(killed, 'SIGKILL'));
      await until(() => ![0, killed].includes(uplink()), 'another uplink');
      await untilOpen('127.0.0.1', port);
      assert.match((await reaches('kept')).stdout, /^web/);
    }
  });

  test('a helper that is killed comes back with links, ports and uplinks', async () => {
    const page = 'mkdir -p /w; echo page > /w/index.html; exec httpd -f -p 80 -h /w';
    await docker('run', '-d', '--name', 'risen', '-p', `${port}:80`, 'busybox', 'sh', '-c', page);
    assert.match(await fetchText('127.0.0.1', port), /^page/);
    const killed = helpers(engine).find(({ verb }) => verb === '')?.pid ?? 0;
    assert.ok(sendSignal(killed, 'SIGKILL'));
    await until(
      async () => /^web/.test((await reaches('risen')).stdout),
      'a way out again',
      15_000,
    );
    await untilOpen('127.0.0.1', port);
    assert.match(await fetchText('127.0.0.1', port), /^page/);
  });

  test('after all that an idle uplink takes no processor time', async () => {
    await start('idle', 'busybox', 'sleep', '100000');
    assert.match((await reaches('idle')).stdout, /^web/);
    await delay(500);
    const before = processorTime(uplink());
    await delay(2000);
    assert.ok(processorTime(uplink()) - before <= 2, 'ticks in two seconds');
  });
}

interface Helper {
  readonly pid: number;
  /** `uplink`, or nothing for the supervisor. */
  readonly verb: string;
}

/** The network processes of an engine, by its own run root or as its supervisor's children. */
function helpers(engine: TestEngine): Helper[] {
  const note = join(engine.runRoot, 'net', 'net.json');
  const { pid } = JSON.parse(readFileSync(note, 'utf8')) as { pid: number };
  const found: Helper[] = [{ pid, verb: '' }];
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(parent) === pid && state !== 'Z')
        found.push({ pid: Number(name), verb: 'uplink' });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** Proportional memory of a process, in megabytes. */
function megabytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1000;
}

/** User and system time of a process, in ticks of 10 ms. */
function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** A docker command that stays; its standard input is ours. */
function hold(engine: TestEngine, words: readonly string[]): ChildProcess {
  const env = { ...process.env, DOCKER_HOST: engine.address };
  return spawn('docker', words, { env, stdio: ['pipe', 'pipe', 'inherit'] });
}

async function said(child: ChildProcess, text: string): Promise<void> {
  let got = '';
  child.stdout?.on('data', (data) => (got += String(data)));
  await until(() => got.includes(text) || child.exitCode !== null, `"${text}"`, 30_000);
  assert.ok(got.includes(text), 'the program ended early');
}

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => socket.destroy());
  return socket;
}

async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  ms = 8000,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `not within ${ms} ms: ${what}`);
    await delay(20);
  }
}

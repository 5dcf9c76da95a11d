/** Published ports through the stock docker command line, in every mode: every form of -p, conflicts, what outlives a crash, and data that must arrive whole. */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { archiveOf } from '../../scripts/lib/images.ts';
import {
  startTestEngine,
  type EngineMode,
  type Result,
  type TestEngine,
} from '../support/engine.ts';
import {
  askEcho,
  fetchText,
  freePort,
  hostAddress,
  probe,
  removeAll,
  serveTcp,
  untilOpen,
} from '../support/network.ts';
import { compileTraffic } from '../support/traffic.ts';

for (const mode of ['system', 'rootless', 'single-id'] as const) {
  describe(`published ports in mode ${mode}`, () => suite(mode));
}

const HTTPD = [
  'busybox',
  'sh',
  '-c',
  'mkdir -p /w; hostname > /w/index.html; exec httpd -f -p 80 -h /w',
];

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let tools: string;
  let port: number;
  let other: number;
  const host = hostAddress();
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);
  const tries = (...args: string[]): Promise<Result> => engine.tryDocker(args);
  const remove = (...names: string[]): Promise<string> => docker('rm', '-f', ...names);
  const echoing = (...flags: string[]): Promise<string> =>
    docker(
      'run',
      '-d',
      '--name',
      'echo',
      ...flags,
      '-v',
      `${tools}:/t:ro`,
      'busybox',
      '/t/traffic',
      'serve',
      '81',
    );

  before(async () => {
    tools = mkdtempSync('/tmp/pinnace-traffic-');
    await compileTraffic(tools);
    engine = await startTestEngine(mode);
    await docker('load', '-i', archiveOf('busybox:latest'));
    port = await freePort();
    other = await freePort();
  });
  after(async () => {
    rmSync(tools, { recursive: true, force: true });
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  afterEach(() => removeAll(engine));

  test('-p HOST:CONTAINER answers on every address of the host, both families', async () => {
    await docker('run', '-d', '--name', 'web', '-p', `${port}:80`, ...HTTPD);
    for (const address of ['127.0.0.1', host, '::1'])
      assert.match(await fetchText(address, port), /^[0-9a-f]{12}\n$/, address);
    assert.deepEqual((await docker('port', 'web')).split('\n').sort(), [
      `80/tcp -> 0.0.0.0:${port}`,
      `80/tcp -> [::]:${port}`,
    ]);
    assert.match(
      await docker('ps', '--format', '{{.Ports}}'),
      new RegExp(`0\\.0\\.0\\.0:${port}->80/tcp`),
    );
    await remove('web');
    assert.equal(await probe('127.0.0.1', port), 'ECONNREFUSED');
  });

  test('-p ADDRESS:HOST:CONTAINER answers on that address alone', async () => {
    await docker('run', '-d', '--name', 'web', '-p', `127.0.0.1:${port}:80`, ...HTTPD);
    assert.match(await fetchText('127.0.0.1', port), /^[0-9a-f]{12}/);
    assert.equal(await probe(host, port), 'ECONNREFUSED');
    await remove('web');
    await docker('run', '-d', '--name', 'web', '-p', `[::1]:${port}:80`, ...HTTPD);
    assert.match(await fetchText('::1', port), /^[0-9a-f]{12}/);
    assert.equal(await probe('127.0.0.1', port), 'ECONNREFUSED');
    await remove('web');
  });

  test('-p CONTAINER and -P choose a port of the host', async () => {
    await docker('run', '-d', '--name', 'web', '-p', '80', ...HTTPD);
    const chosen = /:(\d+)$/m.exec(await docker('port', 'web', '80'))?.[1];
    assert.match(await fetchText('127.0.0.1', Number(chosen)), /^[0-9a-f]{12}/);
    await remove('web');
    await docker('run', '-d', '--name', 'web', '--expose', '80', '--expose', '81', '-P', ...HTTPD);
    const all = await docker('port', 'web');
    assert.match(all, /^80\/tcp -> 0\.0\.0\.0:\d+$/m);
    assert.match(all, /^81\/tcp -> 0\.0\.0\.0:\d+$/m);
    await remove('web');
  });

  test('a range of host ports meets a range of container ports', async () => {
    const first = 23_000 + (process.pid % 900) * 10;
    await docker('run', '-d', '--name', 'range', '-p', `${first}-${first + 2}:80-82`, ...HTTPD);
    assert.match(await fetchText('127.0.0.1', first), /^[0-9a-f]{12}/);
    assert.equal((await docker('port', 'range', '82')).split('\n')[0], `0.0.0.0:${first + 2}`);
    await remove('range');
  });

  test('datagrams go in and come back, the largest too, for several clients', async () => {
    await echoing('-p', `${port}:81/udp`, '-p', `${other}:81`);
    await untilOpen('127.0.0.1', other);
    for (const size of [1, 1400, 9000, 65_507]) {
      const data = randomBytes(size);
      assert.deepEqual(await askEcho('127.0.0.1', port, data), data, `${size} bytes`);
    }
    for (let round = 0; round < 20; round += 1) {
      const many = Array.from({ length: 50 }, async (_, index) => {
        const data = Buffer.from(`client ${round} ${index}`);
        assert.deepEqual(await askEcho(host, port, data), data);
      });
      await Promise.all(many);
    }
    await remove('echo');
  });

  test('a port that is taken is an error with Docker’s words, and leaves nothing', async () => {
    await docker('run', '-d', '--name', 'holder', '-p', `${port}:80`, ...HTTPD);
    const own = await tries('run', '-d', '--name', 'second', '-p', `${port}:80`, ...HTTPD);
    assert.equal(own.status, 125);
    assert.match(own.stderr, new RegExp(`Bind for .*:${port} failed: port is already allocated`));
    assert.equal(await docker('inspect', '--format', '{{.State.Status}}', 'second'), 'created');
    await remove('holder');
    await docker('start', 'second');
    assert.match(await fetchText('127.0.0.1', port), /^[0-9a-f]{12}/);
    await remove('second');
    const foreign = await serveTcp('0.0.0.0', (socket) => socket.end());
    const taken = await tries('run', '-d', '--name', 'third', '-p', `${foreign.port}:80`, ...HTTPD);
    assert.equal(taken.status, 125);
    assert.match(taken.stderr, /address already in use/);
    foreign.close();
    await docker('start', 'third');
    assert.match(await fetchText('127.0.0.1', foreign.port), /^[0-9a-f]{12}/);
    await remove('third');
  });

  test('a port below 1024 works for root, and tells a user how to allow it', async () => {
    const low = 700 + (process.pid % 300);
    const run = await tries('run', '-d', '--name', 'low', '-p', `${low}:80`, ...HTTPD);
    if (mode === 'system') {
      assert.equal(run.status, 0, run.stderr);
      assert.match(await fetchText('127.0.0.1', low), /^[0-9a-f]{12}/);
    } else {
      assert.equal(run.status, 126, 'the command line’s own status where permission is denied');
      assert.match(run.stderr, /ip_unprivileged_port_start/);
    }
    await remove('low');
  });

  test('the container sees the gateway as the client', async () => {
    await docker(
      'run',
      '-d',
      '--name',
      'seer',
      '-p',
      `${port}:81`,
      'busybox',
      'nc',
      '-ll',
      '-p',
      '81',
      '-e',
      'cat',
      '/proc/net/tcp',
      '/proc/net/tcp6',
    );
    await untilOpen('127.0.0.1', port);
    const gateway = await docker('inspect', '--format', '{{.NetworkSettings.Gateway}}', 'seer');
    const seen = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1');
      socket.on('data', (data) => (text += String(data)));
      socket.on('close', () => {
        resolve(text);
      });
    });
    const hex = gateway
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0').toUpperCase())
      .reverse()
      .join('');
    assert.ok(seen.includes(`${hex}:`), seen);
    await remove('seer');
  });

  test('fifty megabytes come back whole, and the half-close travels both ways', async () => {
    await docker(
      'run',
      '-d',
      '--name',
      'cat',
      '-p',
      `${port}:81`,
      'busybox',
      'nc',
      '-ll',
      '-p',
      '81',
      '-e',
      'cat',
    );
    await untilOpen('127.0.0.1', port);
    const data = randomBytes(50_000_000);
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const hash = createHash('sha256');
    let count = 0;
    const ended = new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('end', resolve);
    });
    socket.on('data', (chunk) => {
      count += chunk.length;
      hash.update(chunk);
    });
    socket.end(data);
    await ended;
    assert.equal(count, data.length);
    assert.equal(hash.digest('hex'), createHash('sha256').update(data).digest('hex'));
    await remove('cat');
  });

  test('ports and connections survive the engine’s death, and its return', async () => {
    await docker('run', '-d', '--name', 'web', '-p', `${port}:80`, ...HTTPD);
    await echoing('-p', `${other}:81`);
    await untilOpen('127.0.0.1', other);
    const socket = connect(other, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const turn = (): Promise<string> =>
      new Promise((resolve, reject) => {
        socket.once('data', (data) => {
          resolve(String(data));
        });
        socket.once('close', () => {
          reject(new Error('the connection was lost'));
        });
        socket.write('ping');
      });
    assert.equal(await turn(), 'ping');
    process.kill(await engine.pid(), 'SIGKILL');
    await delay(300);
    assert.match(await fetchText('127.0.0.1', port), /^[0-9a-f]{12}/);
    assert.equal(await turn(), 'ping');
    await engine.start();
    assert.match(await fetchText('127.0.0.1', port), /^[0-9a-f]{12}/);
    assert.equal(await turn(), 'ping');
    assert.match(await docker('port', 'web'), new RegExp(`0\\.0\\.0\\.0:${port}`));
    socket.destroy();
    await remove('web', 'echo');
    assert.equal(await probe('127.0.0.1', port), 'ECONNREFUSED');
  });

  test('a stop frees the port, a start takes it again, a restart keeps an ephemeral one usable', async () => {
    await docker('run', '-d', '--name', 'web', '-p', `${port}:80`, ...HTTPD);
    await docker('stop', '-t', '0', 'web');
    assert.equal(await probe('127.0.0.1', port), 'ECONNREFUSED');
    await docker('start', 'web');
    assert.match(await fetchText('127.0.0.1', port), /^[0-9a-f]{12}/);
    await docker('restart', '-t', '0', 'web');
    assert.match(await fetchText('127.0.0.1', port), /^[0-9a-f]{12}/);
    await remove('web');
  });

  test('a program that ends by itself frees its port', async () => {
    await docker('run', '-d', '--name', 'short', '-p', `${port}:80`, 'busybox', 'sleep', '0.3');
    assert.equal(await docker('wait', 'short'), '0');
    await delay(300);
    assert.equal(await probe('127.0.0.1', port), 'ECONNREFUSED');
    await remove('short');
  });
}

/** Networks as the engine keeps them: through restarts and breakdowns, failed starts, builds, dialled ports, and the pinnace command. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { archiveOf } from '../../scripts/lib/images.ts';
import { createClient, type Client } from '../../src/client/api/client.ts';
import { ROOT, startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';

const HTTPD = [
  'busybox',
  'sh',
  '-c',
  'mkdir -p /w; echo hello >/w/index.html; exec httpd -f -h /w',
];

for (const mode of ['system', 'rootless', 'single-id'] as const) {
  describe(`the engine's networks in mode ${mode}`, () => suite(mode));
}

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let client: Client;
  let work: string;
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);

  before(async () => {
    work = mkdtempSync('/tmp/pinnace-nets-');
    engine = await startTestEngine(mode);
    client = createClient({ socketPath: join(engine.runRoot, 'engine.sock') });
    await docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    client.close();
    rmSync(work, { recursive: true, force: true });
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  /** The page on a published port, once the program behind it listens. */
  async function page(port: string): Promise<string> {
    for (let tries = 0; ; tries++) {
      try {
        return (await (await fetch(`http://127.0.0.1:${port}/`)).text()).trim();
      } catch (error) {
        if (tries >= 50) throw error;
        await delay(40);
      }
    }
  }

  async function portOf(name: string): Promise<string> {
    const [line = ''] = (await docker('port', name, '80/tcp')).split('\n');
    return line.slice(line.lastIndexOf(':') + 1);
  }

  test('networks, addresses and ports outlive a killed engine while the container runs', async () => {
    await docker('network', 'create', '--label', 'a=b', 'kept');
    await docker('run', '-d', '--name', 'web', '--network', 'kept', '-p', '80', ...HTTPD);
    const port = await portOf('web');
    const settings = await docker('inspect', '-f', '{{json .NetworkSettings}}', 'web');
    process.kill(await engine.pid(), 'SIGKILL');
    assert.equal(await page(port), 'hello', 'without an engine');
    await engine.start();
    assert.equal(await page(port), 'hello');
    assert.equal(await docker('inspect', '-f', '{{json .NetworkSettings}}', 'web'), settings);
    const taken = await engine.tryDocker(['run', '--rm', '-p', `${port}:80`, 'busybox', 'true']);
    assert.match(taken.stderr, /port is already allocated/);
    assert.match(
      await docker('run', '--rm', '--network', 'kept', 'busybox', 'nslookup', 'web'),
      /Name:\s+web/,
    );
    await docker('rm', '-f', 'web');
    await docker('network', 'rm', 'kept');
  });

  test('when the networks break down the containers are connected anew', async () => {
    await docker('network', 'create', 'frail');
    await docker('run', '-d', '--name', 'web', '--network', 'frail', '-p', '80', ...HTTPD);
    const port = await portOf('web');
    assert.equal(await page(port), 'hello');
    const { pid } = JSON.parse(readFileSync(join(engine.runRoot, 'net', 'net.json'), 'utf8')) as {
      pid: number;
    };
    process.kill(pid, 'SIGKILL');
    await delay(100);
    assert.equal(await page(port), 'hello');
    assert.match(await docker('exec', 'web', 'ip', '-o', '-4', 'addr'), /eth0/);
    await docker('rm', '-f', 'web');
    await docker('network', 'rm', 'frail');
  });

  test('a start that fails for its network leaves the container as it was, and nothing else', async () => {
    await docker('create', '--name', 'early', '--network', 'later', 'busybox', 'true');
    const failed = await engine.tryDocker(['start', 'early']);
    assert.match(failed.stderr, /network later not found/);
    assert.equal(await docker('inspect', '-f', '{{.State.Status}}', 'early'), 'created');
    await docker('network', 'create', '--subnet', '10.88.0.0/29', 'later');
    await docker('start', '-a', 'early');
    for (const address of ['10.88.0.2', '10.88.0.3']) {
      const wanted = ['run', '--rm', '--network', 'later', '--ip', address, 'busybox', 'true'];
      for (let again = 0; again < 3; again++) await docker(...wanted);
    }
    await docker(
      'run',
      '-d',
      '--name',
      'holder',
      '--network',
      'later',
      '--ip',
      '10.88.0.4',
      'busybox',
      'sleep',
      '99',
    );
    const second = await engine.tryDocker([
      'run',
      '--rm',
      '--network',
      'later',
      '--ip',
      '10.88.0.4',
      'busybox',
      'true',
    ]);
    assert.match(second.stderr, /Address already in use/);
    await docker('rm', '-f', 'early', 'holder');
    await docker('network', 'rm', 'later');
  });

  test('a stopped container is connected and disconnected for its next start', async () => {
    await docker('network', 'create', 'one');
    await docker('network', 'create', 'two');
    await docker(
      'create',
      '--name',
      'box',
      '--network',
      'one',
      'busybox',
      'ip',
      '-o',
      '-4',
      'addr',
    );
    await docker('network', 'connect', '--alias', 'chest', 'two', 'box');
    assert.match(await docker('start', '-a', 'box'), /eth0[\s\S]*eth1/);
    await docker('network', 'disconnect', 'one', 'box');
    assert.doesNotMatch(await docker('start', '-a', 'box'), /eth1/);
    assert.equal(
      await docker('inspect', '-f', '{{json .NetworkSettings.Networks.two.Aliases}}', 'box'),
      '["chest"]',
    );
    await docker('network', 'rm', 'two');
    assert.match((await engine.tryDocker(['start', 'box'])).stderr, /network two not found/);
    await docker('network', 'disconnect', 'two', 'box');
    await docker('start', '-a', 'box');
    await docker('rm', 'box');
    await docker('network', 'rm', 'one');
  });

  test('a restarted container keeps its published port and is found by its name', async () => {
    await docker('network', 'create', 'again');
    const run = ['run', '-d', '--restart', 'always', '--network', 'again', '-p', '127.0.0.1::80'];
    await docker(...run, '--name', 'web', ...HTTPD);
    const first = await docker('inspect', '-f', '{{.State.Pid}}', 'web');
    await docker('exec', 'web', 'kill', '-9', '1').catch(() => undefined);
    await docker('restart', '-t', '0', 'web');
    assert.notEqual(await docker('inspect', '-f', '{{.State.Pid}}', 'web'), first);
    assert.equal(await page(await portOf('web')), 'hello');
    await docker('rename', 'web', 'site');
    const look = (name: string) =>
      engine.tryDocker(['run', '--rm', '--network', 'again', 'busybox', 'nslookup', name]);
    assert.equal((await look('site')).status, 0);
    assert.notEqual((await look('web')).status, 0);
    await docker('rm', '-f', 'site');
    await docker('network', 'rm', 'again');
  });

  test('RUN steps have the network that the build or the step names', async () => {
    await docker('network', 'create', 'yard');
    await docker('run', '-d', '--name', 'web', '--network', 'yard', '-p', '80', ...HTTPD);
    await page(await portOf('web'));
    writeFileSync(
      join(work, 'Dockerfile'),
      'FROM busybox\nRUN ip -o -4 addr; wget -qO- http://web/ || echo unknown\n',
    );
    const build = (...flags: string[]) => docker('build', '--no-cache', ...flags, work);
    assert.match(await build('--network', 'yard'), /eth0[\s\S]*^hello$/m);
    assert.match(await build(), /eth0[\s\S]*^unknown$/m);
    assert.match(await build('--network', 'container:web'), /eth0[\s\S]*^hello$/m);
    assert.doesNotMatch(await build('--network', 'none'), /eth0/);
    const missing = await engine.tryDocker(['build', '--no-cache', '--network', 'nowhere', work]);
    assert.match(missing.stderr + missing.stdout, /network nowhere not found/);
    await docker('rm', '-f', 'web');
    await docker('network', 'rm', 'yard');
    await docker('image', 'prune', '-f');
  });

  test('ports inside are listed and dialled without being published, with half-close', async () => {
    const program = 'nc -ll -p 7 -e cat & exec httpd -f -p 127.0.0.1:80';
    await docker(
      'run',
      '-d',
      '--name',
      'quiet',
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      program,
    );
    let ports = await client.containers.listeningPorts('quiet');
    for (let tries = 0; tries < 50 && ports.length < 2; tries++) {
      await delay(20);
      ports = await client.containers.listeningPorts('quiet');
    }
    assert.deepEqual(
      ports.map(({ port }) => port),
      [7, 80],
    );
    assert.deepEqual(ports[1], { port: 80, address: '127.0.0.1', process: 'httpd' });
    const socket = await client.containers.dial('quiet', 7);
    socket.end('there and back'.repeat(10_000));
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    assert.equal(text.length, 140_000);
    await assert.rejects(client.containers.dial('quiet', 9), /refused|ECONNREFUSED/i);
    await assert.rejects(client.containers.dial('quiet', 0), /port/);
    await docker('rm', '-f', 'quiet');
    await assert.rejects(client.containers.dial('quiet', 7), { kind: 'not-found' });
  });

  test('the counters of every interface are in stats', async () => {
    await docker('run', '-d', '--name', 'counted', 'busybox', 'sleep', '99');
    const gateway = await docker('inspect', '-f', '{{.NetworkSettings.Gateway}}', 'counted');
    await docker('exec', 'counted', 'ping', '-c', '2', '-W', '1', gateway);
    for await (const body of client.containers.stats('counted', { stream: false, oneShot: true })) {
      const { eth0 } = body['networks'] as Record<string, Record<string, number>>;
      assert.ok((eth0?.['tx_packets'] ?? 0) >= 2, JSON.stringify(eth0));
    }
    await docker('rm', '-f', 'counted');
  });

  test('the pinnace command makes, shows, joins and removes networks', async () => {
    const pinnace = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await engine.pinnace(...args);
      assert.equal(status, 0, stderr);
      return stdout.trim();
    };
    const id = await pinnace(
      'network',
      'create',
      '--subnet',
      '10.87.0.0/24',
      '--label',
      'x=y',
      'lane',
    );
    assert.equal(await pinnace('network', 'ls', '-q', '--no-trunc', '-f', 'label=x=y'), id);
    assert.match(await pinnace('network', 'ls'), /NETWORK ID\s+NAME\s+DRIVER\s+SCOPE[\s\S]*lane/);
    const flags = ['--network', 'name=lane,alias=www,ip=10.87.0.9', '-p', '127.0.0.1::80'];
    await pinnace('run', '-d', '--name', 'web', ...flags, ...HTTPD);
    const port = /127\.0\.0\.1:(\d+)$/.exec(await pinnace('port', 'web', '80'))?.[1] ?? '';
    assert.equal(await page(port), 'hello');
    const found = JSON.parse(await pinnace('network', 'inspect', 'lane')) as [
      { Containers: Record<string, { IPv4Address: string }> },
    ];
    assert.deepEqual(
      Object.values(found[0].Containers).map(({ IPv4Address }) => IPv4Address),
      ['10.87.0.9/24'],
    );
    await pinnace('network', 'disconnect', 'lane', 'web');
    await pinnace('network', 'connect', '--ip', '10.87.0.7', 'lane', 'web');
    assert.match(await docker('exec', 'web', 'ip', '-o', '-4', 'addr'), /10\.87\.0\.7\/24/);
    assert.notEqual((await engine.pinnace('network', 'rm', 'lane')).status, 0);
    await docker('rm', '-f', 'web');
    assert.match(await pinnace('network', 'prune', '-f'), /Deleted Networks:\s+lane/);
  });

  test('events tell of networks and who comes and goes', async () => {
    const since = String(Math.floor(Date.now() / 1000));
    await docker('network', 'create', 'told');
    await docker('run', '--rm', '--network', 'told', 'busybox', 'true');
    await docker('network', 'rm', 'told');
    await delay(1100);
    const until = String(Math.floor(Date.now() / 1000));
    const lines = await docker(
      ...['events', '--since', since, '--until', until, '--filter', 'type=network'],
      ...['--format', '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}'],
    );
    assert.deepEqual(
      lines.split('\n').filter((line) => line.includes('told')),
      ['create', 'connect', 'disconnect', 'destroy'].map((action) => `${action} told bridge`),
    );
  });
}

describe('a machine that cannot have networks', () => {
  let engine: TestEngine;
  let dir: string;

  before(async () => {
    dir = mkdtempSync('/tmp/pinnace-poor-');
    // The helper as it is, but for what its probe finds.
    const helper = join(dir, 'pinnace-native');
    const real = join(ROOT, 'out', 'native', 'pinnace-native');
    writeFileSync(
      helper,
      `#!/bin/sh\nif [ "$1" = probe ]; then ${real} probe | sed 's/"network":true/"network":false/'; else exec ${real} "$@"; fi\n`,
      { mode: 0o755 },
    );
    engine = await startTestEngine('system', { PINNACE_NATIVE: helper });
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
    rmSync(dir, { recursive: true, force: true });
  });

  test('gives containers loopback only, and says so', async () => {
    const run = ['run', '--rm', '-p', '80', 'busybox', 'ip', '-o', 'link'];
    const result = await engine.tryDocker(run);
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stderr, /WARNING: .*loopback only[\s\S]*ports cannot be published/);
    assert.doesNotMatch(result.stdout, /eth0/);
    assert.match(result.stdout, /lo:.*UP/);
  });

  test('keeps networks of users for better times, but connects nobody', async () => {
    const made = await engine.pinnace('network', 'create', 'hope');
    assert.match(made.stderr, /loopback only/);
    await engine.docker(
      'run',
      '-d',
      '--name',
      'lone',
      '--network',
      'hope',
      'busybox',
      'sleep',
      '99',
    );
    const joined = await engine.tryDocker(['network', 'connect', 'bridge', 'lone']);
    assert.match(joined.stderr, /loopback only/);
    await engine.docker('rm', '-f', 'lone');
    await engine.docker('network', 'rm', 'hope');
  });
});

/** Who answers a container's questions and who may be its neighbour, through the stock docker command line in every mode: servers of its own, networks whose containers are apart, and supervisors that a killed engine leaves behind. */

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveOf } from '../../scripts/lib/images.ts';
import {
  startTestEngine,
  type EngineMode,
  type Result,
  type TestEngine,
} from '../support/engine.ts';
import { serveNames, serveNamesIn } from '../support/name-server.ts';
import { hostAddress, removeAll } from '../support/network.ts';
import { lives, until } from '../support/traces.ts';

const SLEEP = ['busybox', 'sleep', '100000'];
/** How often an engine without containers is killed and started again. */
const DEATHS = 8;

for (const mode of ['system', 'rootless', 'single-id'] as const) {
  describe(`names and neighbours in mode ${mode}`, () => suite(mode));
}

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);
  const tries = (...args: string[]): Promise<Result> => engine.tryDocker(args);
  const address = (name: string, network: string): Promise<string> =>
    docker('inspect', '--format', `{{.NetworkSettings.Networks.${network}.IPAddress}}`, name);

  before(async () => {
    engine = await startTestEngine(mode);
    await docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });
  afterEach(() => removeAll(engine));

  test('--dns is asked by the engine’s server on a network with names, for that container alone', async () => {
    const server = await serveNames(hostAddress(), '203.0.113.7');
    try {
      await docker('network', 'create', 'sea');
      const resolver = ['--dns', hostAddress(), '--dns-search', 'fleet', '--dns-opt', 'attempts:1'];
      await docker('run', '-d', '--name', 'own', '--network', 'sea', ...resolver, ...SLEEP);
      await docker('run', '-d', '--name', 'other', '--network', 'sea', ...SLEEP);
      const gateway = await docker(
        ...['inspect', '--format', '{{.NetworkSettings.Networks.sea.Gateway}}', 'own'],
      );
      assert.equal(
        await docker('exec', 'own', 'cat', '/etc/resolv.conf'),
        `nameserver ${gateway}\nsearch fleet\noptions attempts:1 ndots:0`,
      );
      assert.match(await docker('exec', 'own', 'nslookup', 'boat.example.'), /203\.0\.113\.7/);
      assert.match(
        await docker('exec', 'own', 'nslookup', 'other.'),
        new RegExp(`${await address('other', 'sea')}\\b`),
      );
      assert.ok(server.asked.length > 0);
      const before = server.asked.length;
      await tries('exec', 'other', 'nslookup', 'pirate.example');
      assert.equal(server.asked.length, before, 'another container has the host’s');
      // The same for one that is connected later, and no more for one that has left.
      await docker('run', '-d', '--name', 'late', '--dns', hostAddress(), ...SLEEP);
      await docker('network', 'connect', 'sea', 'late');
      assert.match(await docker('exec', 'late', 'nslookup', 'late.example'), /203\.0\.113\.7/);
    } finally {
      server.close();
    }
  });

  test('a neighbour is a resolver, and the host’s loopback and other networks are none', async () => {
    await docker('network', 'create', 'sea');
    await docker('network', 'create', 'lake');
    const servers = [];
    for (const network of ['sea', 'lake']) {
      const name = `dns-${network}`;
      await docker('run', '-d', '--name', name, '--network', network, ...SLEEP);
      const pid = Number(await docker('inspect', '--format', '{{.State.Pid}}', name));
      servers.push(await serveNamesIn(pid, await address(name, network), '203.0.113.9'));
    }
    const ask = (server: string): Promise<Result> =>
      tries(
        ...['run', '--rm', '--network', 'sea', '--dns', server, 'busybox'],
        ...['nslookup', '-type=a', 'boat.example.'],
      );
    const neighbour = await ask(await address('dns-sea', 'sea'));
    assert.match(neighbour.stdout, /203\.0\.113\.9/, neighbour.stderr);
    const far = await ask(await address('dns-lake', 'lake'));
    assert.doesNotMatch(far.stdout, /203\.0\.113\.9/);
    for (const one of servers) one.close();
    const server = await serveNames('127.0.0.1', '203.0.113.7');
    try {
      const loopback = await ask('127.0.0.1');
      assert.doesNotMatch(loopback.stdout, /203\.0\.113\.7/);
      assert.deepEqual(server.asked, []);
    } finally {
      server.close();
    }
  });

  test('enable_icc=false keeps the containers of a network apart, and nothing else from them', async () => {
    const icc = 'com.docker.network.bridge.enable_icc=false';
    await docker('network', 'create', '--opt', icc, 'apart');
    const run = ['run', '-d', '--network', 'apart'];
    const httpd = ['busybox', 'sh', '-c', 'echo web > /index.html; exec httpd -f -p 80 -h /'];
    await docker(...run, '--name', 'web', '-p', '127.0.0.1::80', ...httpd);
    await docker(...run, '--name', 'client', ...SLEEP);
    const [own, gateway] = (
      await docker(
        ...['inspect', '--format'],
        '{{.NetworkSettings.Networks.apart.IPAddress}} {{.NetworkSettings.Networks.apart.Gateway}}',
        'web',
      )
    ).split(' ');
    const pinged = (to: string): Promise<Result> =>
      tries('exec', 'client', 'ping', '-c', '1', '-W', '1', to);
    assert.notEqual((await pinged(own ?? '')).status, 0);
    assert.equal((await pinged(gateway ?? '')).status, 0);
    assert.match(await docker('exec', 'client', 'nslookup', 'web.'), new RegExp(own ?? 'address'));
    const port = (await docker('port', 'web', '80')).split(':').pop() ?? '';
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal((await answer.text()).trim(), 'web');
  });

  test('a container leaves the network none for others, and may come back to it', async () => {
    await docker('network', 'create', 'sea');
    await docker('run', '-d', '--name', 'hermit', '--network', 'none', ...SLEEP);
    const networks = (): Promise<string> =>
      docker(
        'inspect',
        '--format',
        '{{range $n, $_ := .NetworkSettings.Networks}}{{$n}} {{end}}',
        'hermit',
      );
    const refused = await tries('network', 'connect', 'sea', 'hermit');
    assert.match(refused.stderr, /one of the networks in private \(none\) mode/);
    await docker('network', 'disconnect', 'none', 'hermit');
    assert.equal(await networks(), '');
    const again = await tries('network', 'disconnect', 'none', 'hermit');
    assert.match(again.stderr, /is not connected to (the )?network none/);
    await docker('network', 'connect', 'sea', 'hermit');
    assert.equal(await networks(), 'sea');
    assert.match(await docker('exec', 'hermit', 'ip', 'route'), /^default via .* dev eth0/m);
    await docker('restart', '-t', '0', 'hermit');
    assert.match(await docker('exec', 'hermit', 'nslookup', 'hermit.'), /Address: \d/);
    assert.match((await tries('network', 'connect', 'none', 'hermit')).stderr, /private \(none\)/);
    await docker('network', 'disconnect', 'sea', 'hermit');
    await docker('network', 'connect', 'none', 'hermit');
    assert.equal(await networks(), 'none');
  });

  test('rm --link takes the name away, and neither container', async () => {
    await docker('run', '-d', '--name', 'db', ...SLEEP);
    await docker('run', '-d', '--name', 'app', '--link', 'db:one', '--link', 'db:two', ...SLEEP);
    assert.match(await docker('exec', 'app', 'cat', '/etc/hosts'), /\tone /);
    await docker('rm', '--link', '/app/one');
    const hosts = await docker('exec', 'app', 'cat', '/etc/hosts');
    assert.doesNotMatch(hosts, /\tone /);
    assert.match(hosts, /\ttwo /);
    assert.equal(await docker('inspect', '--format', '{{.HostConfig.Links}}', 'app'), '[db:two]');
    await docker('restart', '-t', '0', 'app');
    assert.doesNotMatch(await docker('exec', 'app', 'cat', '/etc/hosts'), /\tone /);
    assert.match((await tries('rm', '--link', 'app/one')).stderr, /No such link: \/app\/one/);
    assert.match((await tries('rm', '--link', 'app')).stderr, /cannot remove the default link/);
    assert.match((await tries('rm', '--link', 'ghost/one')).stderr, /Cannot get parent ghost/);
    assert.match((await tries('rm', 'app/two')).stderr, /No such container: app\/two/);
  });

  test('an engine that is killed without containers and started at once has networks that work', async () => {
    const own = statSync('/proc/self/ns/user').ino;
    for (let death = 0; death < DEATHS; death++) {
      const pid = await engine.pid();
      if (death % 2 === 0)
        assert.equal(await docker('run', '--rm', 'busybox', 'echo', 'here'), 'here');
      // Or while the networks are just being set up.
      const broken = tries('run', '--rm', 'busybox', 'true');
      await sleep(death % 2 === 0 ? 0 : death * 15);
      process.kill(pid, 'SIGKILL');
      await broken;
      await until('the engine is gone', () => !lives(pid));
      await engine.start();
      const route = await docker('run', '--rm', 'busybox', 'ip', 'route');
      assert.match(route, /^default via .* dev eth0/m, `after death ${death + 1}`);
      const record = JSON.parse(readFileSync(join(engine.runRoot, 'net', 'net.json'), 'utf8')) as {
        userNamespace: number;
      };
      const now = statSync(`/proc/${await engine.pid()}/ns/user`).ino;
      assert.equal(record.userNamespace, now);
      assert.equal(now === own, mode === 'system');
    }
  });
}

/** Networks through the stock docker command line, in every mode: names, addresses, isolation, connecting and disconnecting, and what a container may reach. */

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import {
  startTestEngine,
  type EngineMode,
  type Result,
  type TestEngine,
} from '../support/engine.ts';
import {
  hostAddress,
  networkOfHost,
  probe,
  removeAll,
  serveHttp,
  type Server,
} from '../support/network.ts';

for (const mode of ['system', 'rootless', 'single-id'] as const) {
  describe(`networks in mode ${mode}`, () => suite(mode));
}

const SLEEP = ['busybox', 'sleep', '100000'];
const HTTPD = [
  'busybox',
  'sh',
  '-c',
  'mkdir -p /w; hostname > /w/index.html; exec httpd -f -p 80 -h /w',
];

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let everywhere: Server;
  let loopback: Server;
  let untouched: string;
  const host = hostAddress();
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);
  const tries = (...args: string[]): Promise<Result> => engine.tryDocker(args);
  const remove = (...names: string[]): Promise<string> => docker('rm', '-f', ...names);
  const format = (text: string, ...names: string[]): Promise<string> =>
    docker('inspect', '--format', text, ...names);

  before(async () => {
    untouched = await networkOfHost();
    engine = await startTestEngine(mode);
    await docker('load', '-i', archiveOf('busybox:latest'));
    everywhere = await serveHttp('0.0.0.0', 'everywhere');
    loopback = await serveHttp('127.0.0.1', 'loopback');
  });
  after(async () => {
    everywhere.close();
    loopback.close();
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
    assert.equal(await networkOfHost(), untouched, 'the host’s own network is as it was');
  });

  afterEach(() => removeAll(engine));

  test('three networks are there from the start and cannot be removed', async () => {
    const listed = await docker('network', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Scope}}');
    assert.deepEqual(listed.split('\n').sort(), [
      'bridge bridge local',
      'host host local',
      'none null local',
    ]);
    for (const name of ['bridge', 'host', 'none']) {
      const refused = await tries('network', 'rm', name);
      assert.equal(refused.status, 1);
      assert.match(refused.stderr, /is a pre-defined network and cannot be removed/);
    }
  });

  test('a container reaches the host’s servers by the host’s address', async () => {
    const url = `http://${host}:${everywhere.port}/`;
    assert.match(await docker('run', '--rm', 'busybox', 'wget', '-qO-', url), /^everywhere/);
  });

  test('a closed port of the host is refused at once and not silent', async () => {
    const free = await serveHttp(host, '');
    free.close();
    const refused = await tries('run', '--rm', 'busybox', 'nc', '-w', '5', host, String(free.port));
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /refused/);
  });

  test('the host’s loopback is out of reach, however it is written', async () => {
    await docker('run', '-d', '--name', 'curious', ...SLEEP);
    const gateway = await format('{{.NetworkSettings.Gateway}}', 'curious');
    for (const address of [
      gateway,
      '127.0.0.1',
      '127.9.9.9',
      '0.0.0.0',
      '[::1]',
      '[::ffff:127.0.0.1]',
    ]) {
      const url = `http://${address}:${loopback.port}/`;
      const got = await tries('exec', 'curious', 'wget', '-qO-', url);
      assert.notEqual(got.status, 0, `${url} answered ${got.stdout}`);
    }
    await docker('exec', 'curious', 'ip', 'route', 'show');
    await remove('curious');
  });

  test('host.docker.internal is the gateway, and the host’s loopback where the network allows it', async () => {
    await docker('network', 'create', '--opt', 'org.pinnace.host-loopback=true', 'open');
    const url = `http://host.docker.internal:${loopback.port}/`;
    const run = (network: string): Promise<Result> =>
      tries(
        ...['run', '--rm', '--network', network, '--add-host', 'host.docker.internal:host-gateway'],
        ...['busybox', 'wget', '-qO-', url],
      );
    const open = await run('open');
    assert.match(open.stdout, /^loopback/, open.stderr);
    assert.notEqual((await run('bridge')).status, 0);
    await docker('network', 'rm', 'open');
  });

  test('containers of one network find each other by name, alias and short id, backwards too', async () => {
    await docker('network', 'create', 'sea');
    const id = await docker(
      ...['run', '-d', '--name', 'web', '--hostname', 'ship', '--network', 'sea'],
      ...['--network-alias', 'www', ...HTTPD],
    );
    await docker('run', '-d', '--name', 'client', '--network', 'sea', ...SLEEP);
    for (const name of ['web', 'www', id.slice(0, 12), 'WEB'])
      assert.equal(await docker('exec', 'client', 'wget', '-qO-', `http://${name}/`), 'ship', name);
    const address = await format('{{.NetworkSettings.Networks.sea.IPAddress}}', 'web');
    assert.match(await docker('exec', 'client', 'nslookup', address), /name = web/);
    await remove('web', 'client');
    await docker('network', 'rm', 'sea');
  });

  test('an alias of several containers has all their addresses', async () => {
    await docker('network', 'create', 'fleet');
    for (const name of ['one', 'two', 'three'])
      await docker(
        'run',
        '-d',
        '--name',
        name,
        '--network',
        'fleet',
        '--network-alias',
        'boats',
        ...SLEEP,
      );
    const answer = await docker('exec', 'one', 'nslookup', '-type=a', 'boats');
    const found = new Set(
      answer
        .split('Name:')
        .slice(1)
        .join()
        .match(/\d+\.\d+\.\d+\.\d+/g),
    );
    assert.equal(found.size, 3, answer);
    await remove('one', 'two', 'three');
    await docker('network', 'rm', 'fleet');
  });

  test('names follow start, stop and rename within 100 ms', async () => {
    await docker('network', 'create', 'quick');
    await docker('run', '-d', '--name', 'asker', '--network', 'quick', ...SLEEP);
    await docker('create', '--name', 'late', '--network', 'quick', ...SLEEP);
    const known = async (name: string): Promise<boolean> =>
      (await tries('exec', 'asker', 'nslookup', '-type=a', name)).status === 0;
    assert.equal(await known('late'), false);
    await docker('start', 'late');
    assert.equal(await known('late'), true);
    await docker('rename', 'late', 'later');
    assert.deepEqual([await known('later'), await known('late')], [true, false]);
    await docker('kill', 'later');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await known('later'), false);
    await remove('asker', 'later');
    await docker('network', 'rm', 'quick');
  });

  test('the default bridge knows no names but those of links', async () => {
    await docker('run', '-d', '--name', 'linked', ...HTTPD);
    const plain = await tries('run', '--rm', 'busybox', 'wget', '-qO-', 'http://linked/');
    assert.notEqual(plain.status, 0);
    const link = await tries(
      ...['run', '--rm', '--link', 'linked:peer', 'busybox', 'wget', '-qO-', 'http://peer/'],
    );
    assert.equal(link.status, 0, link.stderr);
    await remove('linked');
  });

  test('hosts and resolv.conf say who the container is and whom it asks', async () => {
    await docker('network', 'create', '--subnet', '10.91.0.0/24', 'files');
    const [hosts = '', resolv = ''] = (
      await docker(
        ...[
          'run',
          '--rm',
          '--network',
          'files',
          '--hostname',
          'boat',
          '--domainname',
          'sea.example',
        ],
        ...[
          '--add-host',
          'buoy:10.1.2.3',
          '--dns-search',
          'sea.example',
          '--dns-option',
          'ndots:2',
        ],
        ...['busybox', 'sh', '-c', 'cat /etc/hosts; echo ---; cat /etc/resolv.conf'],
      )
    ).split('---\n');
    assert.match(hosts, /^127\.0\.0\.1\s+localhost/m);
    assert.match(hosts, /^10\.91\.0\.\d+\s+boat\.sea\.example boat$/m);
    assert.match(hosts, /^10\.1\.2\.3\s+buoy$/m);
    assert.match(resolv, /^nameserver /m);
    assert.match(resolv, /^search sea\.example$/m);
    assert.match(resolv, /^options .*ndots:2/m);
    await docker('network', 'rm', 'files');
  });

  test('addresses can be chosen; a taken or foreign one is refused as Docker does', async () => {
    await docker(
      ...['network', 'create', '--subnet', '10.92.0.0/24', '--gateway', '10.92.0.254'],
      ...['--ip-range', '10.92.0.128/25', 'chosen'],
    );
    const run = ['run', '-d', '--network', 'chosen'];
    await docker(
      ...run,
      '--name',
      'fixed',
      '--ip',
      '10.92.0.50',
      '--mac-address',
      '02:00:00:00:00:77',
      ...SLEEP,
    );
    assert.match(await docker('exec', 'fixed', 'ip', 'addr', 'show', 'eth0'), /10\.92\.0\.50\/24/);
    assert.match(
      await docker('exec', 'fixed', 'cat', '/sys/class/net/eth0/address'),
      /02:00:00:00:00:77/,
    );
    assert.match(await docker('exec', 'fixed', 'ip', 'route'), /default via 10\.92\.0\.254/);
    await docker(...run, '--name', 'ranged', ...SLEEP);
    const ranged = await format('{{.NetworkSettings.Networks.chosen.IPAddress}}', 'ranged');
    assert.ok(Number(ranged.split('.')[3]) >= 128, ranged);
    const taken = await tries(...run, '--name', 'taken', '--ip', '10.92.0.50', ...SLEEP);
    assert.equal(taken.status, 125);
    assert.match(taken.stderr, /Address already in use/);
    const foreign = await tries(...run, '--name', 'foreign', '--ip', '10.93.0.5', ...SLEEP);
    assert.equal(foreign.status, 125);
    assert.match(
      foreign.stderr,
      /no configured subnet (or ip-range )?contain(s)? the IP address 10\.93\.0\.5/i,
    );
    const bridge = await tries('run', '--rm', '--ip', '172.17.0.99', 'busybox', 'true');
    assert.match(
      bridge.stderr,
      /user specified IP address is supported on user defined networks only/i,
    );
    await docker('stop', '-t', '0', 'fixed');
    await docker('start', 'fixed');
    assert.match(await docker('exec', 'fixed', 'ip', 'addr', 'show', 'eth0'), /10\.92\.0\.50\/24/);
    await remove('fixed', 'ranged');
    await tries('rm', '-f', 'taken', 'foreign');
    await docker('network', 'rm', 'chosen');
  });

  test('an internal network reaches its own containers and nothing else', async () => {
    await docker('network', 'create', '--internal', 'cove');
    await docker('run', '-d', '--name', 'hidden', '--network', 'cove', ...HTTPD);
    const inside = ['run', '--rm', '--network', 'cove', 'busybox'];
    assert.match(await docker(...inside, 'wget', '-qO-', 'http://hidden/'), /^[0-9a-f]{12}$/);
    assert.doesNotMatch(await docker(...inside, 'ip', 'route'), /default/);
    const url = `http://${host}:${everywhere.port}/`;
    assert.notEqual((await tries(...inside, 'wget', '-qO-', url)).status, 0);
    const forced = `ip route add default via $(ip -o addr show eth0 | sed 's/.*inet \\([0-9.]*\\)\\.[0-9]*\\/.*/\\1.1/'); wget -qO- ${url}`;
    const cheat = await tries(
      'run',
      '--rm',
      '--cap-add',
      'NET_ADMIN',
      '--network',
      'cove',
      'busybox',
      'sh',
      '-c',
      forced,
    );
    assert.notEqual(cheat.status, 0, cheat.stdout);
    assert.notEqual((await tries(...inside, 'nslookup', '-type=a', 'example.org')).status, 0);
    await remove('hidden');
    await docker('network', 'rm', 'cove');
  });

  test('two networks do not reach each other, by address or by name', async () => {
    await docker('network', 'create', 'north');
    await docker('network', 'create', 'south');
    await docker('run', '-d', '--name', 'pole', '--network', 'north', ...HTTPD);
    const address = await format('{{.NetworkSettings.Networks.north.IPAddress}}', 'pole');
    for (const target of [address, 'pole']) {
      const got = await tries(
        ...['run', '--rm', '--network', 'south', 'busybox', 'wget', '-qO-', `http://${target}/`],
      );
      assert.notEqual(got.status, 0, `${target}: ${got.stdout}`);
    }
    await remove('pole');
    await docker('network', 'rm', 'north', 'south');
  });

  test('a running container is connected and disconnected', async () => {
    await docker('network', 'create', 'first');
    await docker('network', 'create', '--subnet', '10.94.0.0/24', 'second');
    await docker('run', '-d', '--name', 'mover', '--network', 'first', ...HTTPD);
    await docker('run', '-d', '--name', 'watcher', '--network', 'second', ...SLEEP);
    await docker('network', 'connect', '--alias', 'moved', '--ip', '10.94.0.77', 'second', 'mover');
    assert.match(await docker('exec', 'mover', 'ip', 'addr', 'show', 'eth1'), /10\.94\.0\.77\/24/);
    for (const name of ['mover', 'moved', '10.94.0.77'])
      assert.match(
        await docker('exec', 'watcher', 'wget', '-qO-', `http://${name}/`),
        /^[0-9a-f]{12}$/,
      );
    assert.match(
      await docker('exec', 'mover', 'ping', '-c', '1', '-W', '2', 'watcher'),
      /1 packets received/,
    );
    const again = await tries('network', 'connect', 'second', 'mover');
    assert.match(again.stderr, /endpoint with name mover already exists in network second/);
    await docker('network', 'disconnect', 'second', 'mover');
    assert.notEqual((await tries('exec', 'watcher', 'nslookup', '-type=a', 'mover')).status, 0);
    assert.notEqual((await tries('exec', 'mover', 'ip', 'addr', 'show', 'eth1')).status, 0);
    const gone = await tries('network', 'disconnect', 'second', 'mover');
    assert.match(gone.stderr, /is not connected to (the )?network second/);
    await docker('network', 'disconnect', 'first', 'mover');
    const url = `http://${host}:${everywhere.port}/`;
    assert.notEqual((await tries('exec', 'mover', 'wget', '-qO-', url)).status, 0);
    await docker('network', 'connect', 'first', 'mover');
    assert.match(await docker('exec', 'mover', 'wget', '-qO-', url), /^everywhere/);
    await remove('mover', 'watcher');
    await docker('network', 'rm', 'first', 'second');
  });

  test('container:ID shares everything, none has loopback only, host is the host’s', async () => {
    await docker('run', '-d', '--name', 'owner', ...HTTPD);
    const shared = await docker(
      'run',
      '--rm',
      '--network',
      'container:owner',
      'busybox',
      'wget',
      '-qO-',
      'http://127.0.0.1/',
    );
    assert.match(shared, /^[0-9a-f]{12}$/);
    const links = await docker(
      'run',
      '--rm',
      '--network',
      'none',
      'busybox',
      'ls',
      '/sys/class/net',
    );
    assert.equal(links, 'lo');
    const own = await docker(
      'run',
      '--rm',
      '--network',
      'host',
      'busybox',
      'ip',
      '-o',
      '-4',
      'addr',
    );
    assert.ok(own.includes(host), own);
    const both = await tries(
      'run',
      '--rm',
      '--network',
      'container:owner',
      '-p',
      '80',
      'busybox',
      'true',
    );
    assert.match(both.stderr, /conflicting options/);
    await remove('owner');
  });

  test('a container on several networks has an address and names on each', async () => {
    for (const name of ['red', 'green']) {
      await docker('network', 'create', name);
      await docker('run', '-d', '--name', `on-${name}`, '--network', name, ...HTTPD);
    }
    await docker('create', '--name', 'both', '--network', 'red', ...SLEEP);
    await docker('network', 'connect', 'green', 'both');
    await docker('start', 'both');
    for (const name of ['on-red', 'on-green'])
      assert.match(
        await docker('exec', 'both', 'wget', '-qO-', `http://${name}/`),
        /^[0-9a-f]{12}$/,
        name,
      );
    const keys = await format(
      '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}',
      'both',
    );
    assert.equal(keys, 'green red');
    await remove('both', 'on-red', 'on-green');
    await docker('network', 'rm', 'red', 'green');
  });

  test('IPv6 works between containers and from the gateway outward', async () => {
    await docker('network', 'create', '--ipv6', '--subnet', 'fd55:1::/64', 'six');
    await docker('run', '-d', '--name', 'sixth', '--network', 'six', ...HTTPD);
    const address = await format('{{.NetworkSettings.Networks.six.GlobalIPv6Address}}', 'sixth');
    assert.match(address, /^fd55:1::/);
    const got = await docker(
      'run',
      '--rm',
      '--network',
      'six',
      'busybox',
      'sh',
      '-c',
      `nslookup -type=aaaa sixth && echo | nc -w 3 ${address} 80 && ping -6 -c 1 -W 2 ${address}`,
    );
    assert.ok(got.includes(address), got);
    assert.match(got, /1 packets received/);
    await remove('sixth');
    await docker('network', 'rm', 'six');
  });

  test('inspect, filters, prune and the errors read as Docker’s', async () => {
    await docker('network', 'create', '--label', 'team=blue', '--subnet', '10.95.0.0/24', 'blue');
    await docker('network', 'create', 'spare');
    await docker('run', '-d', '--name', 'member', '--network', 'blue', ...SLEEP);
    const [blue] = JSON.parse(await docker('network', 'inspect', 'blue')) as [
      {
        IPAM: { Config: { Subnet: string }[] };
        Containers: Record<string, { Name: string; IPv4Address: string }>;
      },
    ];
    assert.equal(blue.IPAM.Config[0]?.Subnet, '10.95.0.0/24');
    assert.deepEqual(
      Object.values(blue.Containers).map(({ Name }) => Name),
      ['member'],
    );
    assert.match(Object.values(blue.Containers)[0]?.IPv4Address ?? '', /^10\.95\.0\.\d+\/24$/);
    assert.equal(
      await docker('network', 'ls', '-q', '--filter', 'label=team=blue', '--format', '{{.Name}}'),
      'blue',
    );
    for (const [words, text] of [
      [['network', 'rm', 'blue'], /network blue( id [0-9a-f]+)? has active endpoints/],
      [['network', 'create', 'blue'], /network with name blue already exists/],
      [
        ['network', 'create', '--subnet', '10.95.0.0/25', 'overlap'],
        /Pool overlaps with other one on this address space/,
      ],
      [['network', 'inspect', 'nowhere'], /network nowhere not found/],
      [['run', '--rm', '--network', 'nowhere', 'busybox', 'true'], /network nowhere not found/],
    ] as const) {
      const failed = await tries(...words);
      assert.notEqual(failed.status, 0);
      assert.match(failed.stderr, text);
    }
    assert.match(await docker('network', 'prune', '-f'), /spare/);
    assert.equal((await tries('network', 'inspect', 'blue')).status, 0);
    await remove('member');
    await docker('network', 'rm', 'blue');
  });

  test('a failed start gives back its address, and the container can start later', async () => {
    await docker('network', 'create', '--subnet', '10.96.0.0/29', 'tiny');
    for (let turn = 0; turn < 12; turn += 1)
      assert.equal(
        (await tries('run', '--rm', '--network', 'tiny', 'busybox', 'no-such')).status,
        127,
      );
    assert.equal(
      await docker('run', '--rm', '--network', 'tiny', 'busybox', 'echo', 'fits'),
      'fits',
    );
    await docker('network', 'rm', 'tiny');
  });

  test('the host can still be reached and its loopback server is untouched', async () => {
    assert.equal(await probe('127.0.0.1', loopback.port), 'open');
  });
}

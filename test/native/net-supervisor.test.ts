// The supervisor of `net` on the real kernel: one for a directory, networks, links, routes, host ports and
// their ends. As root and as a user with a single id; the host's own network must not notice.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '../support/children.ts';
import { NetRig, type Box, type Link, type NetMode } from './net-rig.ts';
import { runs, until, type Json } from './shim-rig.ts';

const modes: readonly NetMode[] = ['system', 'single-id'];

const first = {
  op: 'network',
  id: 'one',
  bridge: 'br-one',
  subnets: [
    { cidr: '172.30.0.0/16', gateway: '172.30.0.1' },
    { cidr: 'fd00:30::/64', gateway: 'fd00:30::1' },
  ],
  internal: false,
  mtu: 1400,
  hostLoopback: false,
};
const second = {
  ...first,
  id: 'two',
  bridge: 'br-two',
  subnets: [{ cidr: '172.31.0.0/16', gateway: '172.31.0.1' }],
};

/** What must never change: the host's links, routes, rules and firewall. */
function hostNetwork(): string {
  const commands = [
    'ip -o link',
    'ip -o addr',
    'ip route show table all',
    'ip rule',
    'ip -6 rule',
    'nft list ruleset',
    'sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.core.somaxconn',
  ];
  const result = spawnSync('sh', ['-c', commands.join('; ')], { encoding: 'utf8' });
  // Life times of addresses count down.
  return result.stdout.replaceAll(/\d+sec/gu, 'sec');
}

for (const mode of modes) {
  describe(`the network's supervisor in ${mode} mode`, () => {
    let rig: NetRig;
    let record: Json;
    let host: string;
    const boxes: Box[] = [];
    const box = async (): Promise<Box> => {
      const made = await rig.box();
      boxes.push(made);
      return made;
    };
    const attach = async (of: Box, more: object = {}): Promise<Json> =>
      rig.must({ ...attachment(of), ...more });
    const attachment = (of: Box): Json => ({
      op: 'attach',
      network: 'one',
      endpoint: `e${String(of.pid)}`,
      pid: of.pid,
      startTime: of.startTime,
      interface: 'eth0',
      mac: '02:42:ac:1e:00:02',
      addresses: ['172.30.0.2/16'],
      gateways: ['172.30.0.1'],
      sysctls: {},
    });

    before(async () => {
      host = hostNetwork();
      rig = new NetRig(mode);
      record = await rig.begin();
      await rig.must(first);
    });
    afterEach(async () => {
      for (const used of boxes.splice(0)) await used.end();
      await until(() => rig.links().every((link) => !link.ifname.startsWith('pe')), 'no links');
      assert.deepEqual(await rig.endpoints(), []);
    });
    after(async () => {
      await rig.dispose();
      assert.equal(hostNetwork(), host);
    });

    it('serves a directory once, however often it is started', () => {
      assert.deepEqual(rig.start(), record);
      assert.deepEqual(JSON.parse(readFileSync(join(rig.dir, 'net.json'), 'utf8')), record);
      assert.equal(statSync(join(rig.dir, 'net.sock')).mode & 0o777, 0o600);
    });

    it('refuses to start without a directory', () => {
      for (const input of ['', '{}', '{"dir":"relative"}', '{"dir":"/nonexistent/dir"}']) {
        const result = rig.native(input);
        assert.equal(result.status, 1);
        const { error } = JSON.parse(result.stderr) as { error: { kind: string } };
        assert.match(error.kind, /^(invalid|not-found)$/u);
      }
    });

    it('makes a bridge with the gateways as its addresses, and makes it once', async () => {
      const before = rig.links().map((link) => link.ifname);
      await rig.must(first);
      const links = rig.links();
      assert.deepEqual(
        links.map((link) => link.ifname),
        before,
      );
      const bridge = links.find((link) => link.ifname === 'br-one');
      assert.equal(bridge?.mtu, 1400);
      assert.equal(bridge.address, '02:42:ac:1e:00:01');
      assert.deepEqual(
        bridge.addr_info.map((info) => `${info.local}/${String(info.prefixlen)}`),
        ['172.30.0.1/16', 'fd00:30::1/64'],
      );
    });

    it('changes a network to what is asked for', async () => {
      await rig.must(second);
      const subnets = [{ cidr: '172.29.0.0/16', gateway: '172.29.0.1' }];
      await rig.must({ ...second, subnets, mtu: 9000 });
      const bridge = rig.links().find((link) => link.ifname === 'br-two');
      assert.equal(bridge?.mtu, 9000);
      assert.deepEqual(
        bridge.addr_info.map((info) => info.local),
        ['172.29.0.1'],
      );
      const renamed = await rig.fails({ ...second, bridge: 'br-three' });
      assert.equal(renamed.kind, 'conflict');
      await rig.must({ op: 'remove-network', id: 'two' });
      assert.equal((await rig.networks()).length, 1);
      assert.ok(!rig.links().some((link) => link.ifname === 'br-two'));
    });

    it('refuses networks that cannot be', async () => {
      const cases: readonly (readonly [object, string])[] = [
        [{ bridge: 'a-name-that-is-too-long' }, 'invalid'],
        [{ bridge: 'lo' }, 'invalid'],
        [{ bridge: 'br-one' }, 'conflict'],
        [{ mtu: 20 }, 'invalid'],
        [{ subnets: [{ cidr: '172.30.5.0/24', gateway: '172.30.5.1' }] }, 'conflict'],
        [{ subnets: [{ cidr: '172.31.0.0/16', gateway: '10.0.0.1' }] }, 'invalid'],
        [{ subnets: [{ cidr: '172.31.0.0/99', gateway: '172.31.0.1' }] }, 'invalid'],
        [{ subnets: 'many' }, 'invalid'],
      ];
      const before = rig.links().length;
      for (const [change, kind] of cases) {
        assert.equal(
          (await rig.fails({ ...second, ...change })).kind,
          kind,
          JSON.stringify(change),
        );
      }
      await until(() => rig.links().length === before, 'no link is left');
      assert.equal((await rig.networks()).length, 1);
    });

    it('puts a link into a namespace as asked, up and usable at once', async () => {
      const [one, two] = [await box(), await box()];
      await attach(one, {
        addresses: ['172.30.0.2/16', 'fd00:30::2/64'],
        gateways: ['172.30.0.1', 'fd00:30::1'],
        sysctls: { 'net.ipv4.conf.IFNAME.log_martians': '1' },
      });
      await attach(two, {
        mac: '02:42:ac:1e:00:03',
        addresses: ['172.30.0.3/16', 'fd00:30::3/64'],
        gateways: ['172.30.0.1', 'fd00:30::1'],
      });
      const links = JSON.parse(one.run('ip', '-j', 'addr')) as Link[];
      const eth0 = links.find((link) => link.ifname === 'eth0');
      assert.equal(eth0?.address, '02:42:ac:1e:00:02');
      assert.equal(eth0.mtu, 1400);
      assert.equal(eth0.operstate, 'UP');
      assert.match(one.run('ip', 'route'), /^default via 172\.30\.0\.1 dev eth0/mu);
      assert.match(one.run('ip', '-6', 'route'), /^default via fd00:30::1 dev eth0/mu);
      assert.equal(one.run('cat', '/proc/sys/net/ipv4/conf/eth0/log_martians'), '1\n');
      for (const target of ['172.30.0.3', 'fd00:30::3', '172.30.0.1', 'fd00:30::1', '127.0.0.1']) {
        one.run('busybox', 'ping', '-c1', '-W2', target);
      }
    });

    it('switches IPv6 off on a link without IPv6 addresses', async () => {
      const one = await box();
      await attach(one);
      assert.equal(one.run('cat', '/proc/sys/net/ipv6/conf/eth0/disable_ipv6'), '1\n');
    });

    it('connects and disconnects while the container runs, and moves its default route', async () => {
      await rig.must(second);
      const one = await box();
      await attach(one);
      await attach(one, {
        network: 'two',
        endpoint: 'other',
        interface: 'eth1',
        mac: '02:42:ac:1f:00:02',
        addresses: ['172.31.0.2/16'],
        gateways: [],
      });
      assert.match(one.run('ip', 'route'), /^default via 172\.30\.0\.1 dev eth0/mu);
      await rig.must({ op: 'route', endpoint: 'other', gateways: ['172.31.0.1'] });
      assert.match(one.run('ip', 'route'), /^default via 172\.31\.0\.1 dev eth1/mu);
      assert.doesNotMatch(one.run('ip', 'route'), /172\.30\.0\.1/u);
      await rig.must({ op: 'route', endpoint: 'other', gateways: [] });
      assert.doesNotMatch(one.run('ip', 'route'), /default/u);
      await rig.must({ op: 'detach', endpoint: 'other' });
      assert.doesNotMatch(one.run('ip', 'link'), /eth1/u);
      await rig.must({ op: 'detach', endpoint: 'other' });
      await rig.must({ op: 'remove-network', id: 'two' });
      assert.equal(
        (await rig.fails({ op: 'route', endpoint: 'x', gateways: [] })).kind,
        'not-found',
      );
    });

    it('leaves nothing where a link cannot be made', async () => {
      const one = await box();
      await attach(one);
      const cases: readonly (readonly [object, string])[] = [
        [{ endpoint: 'b' }, 'conflict'],
        [{ endpoint: 'b', network: 'none' }, 'not-found'],
        [{ endpoint: 'b', startTime: 1 }, 'not-found'],
        [{ endpoint: 'b', pid: 0 }, 'not-found'],
        [{ endpoint: 'b', pid: 999_999_999 }, 'not-found'],
        [{ endpoint: 'b', interface: 'a/b' }, 'invalid'],
        [{ endpoint: 'b', interface: 'eth1', mac: 'ff:ff:ff:ff:ff:ff' }, 'invalid'],
        [{ endpoint: 'b', interface: 'eth1', addresses: ['172.30.0.2'] }, 'invalid'],
        [{ endpoint: 'b', interface: 'eth1', sysctls: { 'kernel.hostname': 'x' } }, 'invalid'],
        [
          { endpoint: 'b', interface: 'eth1', sysctls: { 'net.ipv4.conf.IFNAME.none': '1' } },
          'invalid',
        ],
        [
          { endpoint: 'b', interface: 'eth1', addresses: ['172.30.0.5/16', '172.30.0.5/16'] },
          'conflict',
        ],
      ];
      const links = rig.links().length;
      for (const [change, kind] of cases) {
        const error = await rig.fails({ ...attachment(one), ...change });
        assert.equal(error.kind, kind, `${JSON.stringify(change)}: ${error.message}`);
      }
      assert.equal(rig.links().length, links);
      assert.doesNotMatch(one.run('ip', 'link'), /eth1/u);
      assert.equal((await rig.endpoints()).length, 1);
    });

    it("refuses a process in the host's namespace", async () => {
      const child = spawn('sleep', ['1000']);
      try {
        const pid = Number(child.pid);
        const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
        const startTime = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
        const own = await box();
        const error = await rig.fails({ ...attachment(own), pid, startTime });
        // An ordinary user cannot even look at a process of root.
        assert.match(error.kind, /^(invalid|forbidden)$/u);
      } finally {
        child.kill('SIGKILL');
      }
    });

    it('replaces an endpoint that is attached already', async () => {
      const [one, two] = [await box(), await box()];
      await attach(one, { endpoint: 'same' });
      await attach(one, { endpoint: 'same', addresses: ['172.30.0.7/16'] });
      assert.match(one.run('ip', 'addr'), /172\.30\.0\.7/u);
      await attach(two, { endpoint: 'same' });
      assert.doesNotMatch(one.run('ip', 'link'), /eth0/u);
      assert.deepEqual(await rig.endpoints(), ['same']);
    });

    it('detaches an endpoint whose process has ended, within a moment', async () => {
      const one = await box();
      await attach(one);
      const ports = [port({ hostPort: 0 })];
      await rig.must({ op: 'publish', network: 'one', endpoint: `e${String(one.pid)}`, ports });
      await one.end();
      await sleep(50);
      assert.deepEqual(await rig.endpoints(), []);
      assert.deepEqual((await rig.networks())[0]?.ports, []);
    });

    it('keeps a network that is in use', async () => {
      const one = await box();
      await attach(one);
      const removal = await rig.fails({ op: 'remove-network', id: 'one' });
      assert.equal(removal.kind, 'conflict');
      assert.match(removal.message, new RegExp(`e${String(one.pid)}`, 'u'));
      assert.equal((await rig.fails({ op: 'stop' })).kind, 'conflict');
    });

    const port = (change: object): Json => ({
      protocol: 'tcp',
      hostAddress: '127.0.0.1',
      hostPort: 0,
      address: '172.30.0.2',
      port: 80,
      ...change,
    });
    const publish = async (of: Box, ports: readonly Json[]): Promise<Json[]> => {
      const request = { op: 'publish', network: 'one', endpoint: `e${String(of.pid)}`, ports };
      return (await rig.must(request))['ports'] as Json[];
    };

    it('binds host ports, with one number for both families', async () => {
      const one = await box();
      await attach(one);
      const ports = await publish(one, [
        port({}),
        port({ hostAddress: '::1' }),
        port({ protocol: 'udp' }),
        port({ port: 81 }),
      ]);
      const number = (index: number): number => Number(ports[index]?.['hostPort']);
      assert.equal(ports.length, 4);
      const web = ports.filter((found) => found['port'] === 80 && found['protocol'] === 'tcp');
      assert.equal(web.length, 2);
      assert.equal(web[0]?.['hostPort'], web[1]?.['hostPort']);
      assert.ok(number(0) > 0);
      const listed = (await rig.networks())[0]?.ports ?? [];
      assert.deepEqual(
        listed.map((found) => found['endpoint']),
        Array.from({ length: 4 }, () => `e${String(one.pid)}`),
      );
      // The same again keeps what is bound; fewer frees the rest.
      const fixed = ports.filter((found) => found['port'] === 81);
      assert.deepEqual(await publish(one, fixed), fixed);
      const free = await listen('127.0.0.1', Number(web[0]?.['hostPort']));
      free.close();
      await rig.must({ op: 'detach', endpoint: `e${String(one.pid)}` });
      (await listen('127.0.0.1', Number(fixed[0]?.['hostPort']))).close();
    });

    it('takes all ports or none, and says which is in use', async () => {
      const one = await box();
      await attach(one);
      const foreign = await listen('127.0.0.1', 0);
      const taken = portOf(foreign);
      const probe = await listen('127.0.0.1', 0);
      const free = portOf(probe);
      probe.close();
      const ports = [port({ hostPort: free }), port({ hostPort: taken, port: 81 })];
      const request = { op: 'publish', network: 'one', endpoint: `e${String(one.pid)}`, ports };
      const error = await rig.fails(request);
      assert.equal(error.kind, 'conflict');
      assert.equal(error.errno, 'EADDRINUSE');
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${String(taken)}/tcp`, 'u'));
      (await listen('127.0.0.1', free)).close();
      foreign.close();
      const absent = [port({ hostAddress: '203.0.113.7', hostPort: free })];
      assert.equal((await rig.fails({ ...request, ports: absent })).errno, 'EADDRNOTAVAIL');
    });

    it('says how to allow a low port', async () => {
      const one = await box();
      await attach(one);
      const start = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
      const ports = [port({ hostAddress: '127.0.0.9', hostPort: 81 })];
      const request = { op: 'publish', network: 'one', endpoint: `e${String(one.pid)}`, ports };
      if (mode === 'system' || start <= 81) {
        await rig.must(request);
      } else {
        const error = await rig.fails(request);
        assert.equal(error.kind, 'forbidden');
        assert.equal(error.errno, 'EACCES');
        assert.match(error.message, /net\.ipv4\.ip_unprivileged_port_start=81/u);
      }
    });

    it('gives a UDP port to the next one at once', async () => {
      const [one, two] = [await box(), await box()];
      await attach(one);
      const ports = await publish(one, [port({ protocol: 'udp' })]);
      await rig.must({ op: 'detach', endpoint: `e${String(one.pid)}` });
      await attach(two);
      assert.deepEqual(await publish(two, ports), ports);
    });

    it('takes a table of names', async () => {
      const names = { web: ['172.30.0.2'], db: ['172.30.0.3', 'fd00:30::3'] };
      const clients = { '172.30.0.2': { cache: ['172.31.0.4'] } };
      await rig.must({ op: 'names', network: 'one', names, clients, forward: true });
      const many = Object.fromEntries(
        Array.from({ length: 20_000 }, (_, index) => [`name-${String(index)}`, ['172.30.0.2']]),
      );
      await rig.must({ op: 'names', network: 'one', names: many, clients: {}, forward: true });
      assert.equal((await rig.fails({ op: 'names', network: 'x', names: {} })).kind, 'not-found');
      const wrong = { op: 'names', network: 'one', names: { a: ['not an address'] } };
      assert.equal((await rig.fails(wrong)).kind, 'invalid');
    });

    it('starts an uplink again when it was killed, and keeps the host ports', async () => {
      const one = await box();
      await attach(one);
      const before = await publish(one, [port({})]);
      const uplink = (await rig.networks())[0]?.uplinkPid ?? 0;
      sendSignal(uplink, 'SIGKILL');
      let now = uplink;
      const end = Date.now() + 3000;
      while ((now === uplink || !runs(now)) && Date.now() < end) {
        await sleep(20);
        now = (await rig.networks())[0]?.uplinkPid ?? uplink;
      }
      assert.notEqual(now, uplink);
      assert.ok(runs(now));
      const number = Number(before[0]?.['hostPort']);
      await assert.rejects(listen('127.0.0.1', number), /EADDRINUSE/u);
      one.start('busybox', 'nc', '-l', '-p', '80', '-e', 'echo', 'served');
      await until(() => one.run('ss', '-Hltn').includes(':80'), 'the server');
      const said = spawnSync('busybox', ['nc', '-w', '3', '127.0.0.1', String(number)], {
        encoding: 'utf8',
        timeout: 5000,
      });
      assert.equal(said.stdout, 'served\n');
    });

    it('attaches in a few milliseconds, and a hundred times without a trace', async () => {
      await until(() => rig.links().every((link) => !link.ifname.startsWith('pe')), 'no links');
      const links = rig.links().length;
      await rig.networks();
      const descriptors = rig.descriptors();
      const one = await box();
      const times: number[] = [];
      for (let index = 0; index < 100; index += 1) {
        const start = performance.now();
        await attach(one);
        times.push(performance.now() - start);
        await publish(one, [port({}), port({ protocol: 'udp' })]);
        await rig.must({ op: 'detach', endpoint: `e${String(one.pid)}` });
      }
      times.sort((a, b) => a - b);
      const median = times[50] ?? 0;
      assert.ok(median < 25, `an attach takes ${median.toFixed(1)} ms in the median`);
      assert.equal(rig.links().length, links);
      await until(() => rig.descriptors() <= descriptors + 3, 'no descriptor is left');
    });
  });
}

describe('the end of the supervisor', () => {
  it('comes by itself when nothing is attached and nobody asks', async () => {
    const rig = new NetRig('system');
    await rig.begin();
    const connection = rig.connect();
    connection.socket.write(`${JSON.stringify(first)}\n`);
    assert.equal((await connection.line())['ok'], true);
    await sleep(3000);
    assert.ok(runs(rig.supervisor), 'a connection keeps it');
    connection.socket.destroy();
    await until(() => !runs(rig.supervisor), 'its end');
    await rig.dispose();
  });

  it('comes with SIGTERM and takes the links of the containers with it', async () => {
    const rig = new NetRig('system');
    await rig.begin();
    await rig.must(first);
    const box = await rig.box();
    await rig.must({
      op: 'attach',
      network: 'one',
      endpoint: 'e',
      pid: box.pid,
      startTime: box.startTime,
      interface: 'eth0',
      addresses: ['172.30.0.2/16'],
      gateways: [],
    });
    const uplink = (await rig.networks())[0]?.uplinkPid ?? 0;
    process.kill(rig.supervisor, 'SIGTERM');
    await until(() => !runs(rig.supervisor) && !runs(uplink), 'the end of both');
    await until(() => !box.run('ip', 'link').includes('eth0'), 'the link is gone');
    await rig.dispose();
  });

  it('when it is killed takes its uplinks with it, and a new one starts over', async () => {
    const rig = new NetRig('system');
    await rig.begin();
    await rig.must(first);
    const uplink = (await rig.networks())[0]?.uplinkPid ?? 0;
    process.kill(rig.supervisor, 'SIGKILL');
    await until(() => !runs(rig.supervisor) && !runs(uplink), 'the end of both');
    rig.start();
    assert.deepEqual(await rig.networks(), []);
    await rig.dispose();
  });
});

function listen(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port }, () => {
      resolve(server);
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

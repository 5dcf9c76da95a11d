/** Checks what containers ask of networks: endpoints, ports, links, what inspect shows, and the files in /etc. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSettings, HostConfig } from '../../../lib/api/containers.ts';
import type { LiveNetwork, NetworkRecord } from '../../network/types.ts';
import { Container, newState } from '../container.ts';
import { hostsText, movedHosts, resolvText } from '../files/hosts.ts';
import { parseInterfaces } from '../view/interfaces.ts';
import { parseListening } from './listening.ts';
import { portList, portMap, portWishes } from './ports.ts';
import { networkSettings } from './settings.ts';
import { checkWish, NO_WISH, wishesOf } from './wishes.ts';

function record(name: string, configured: boolean): NetworkRecord {
  const subnets = [{ cidr: '10.9.0.0/16', gateway: '10.9.0.1', auxiliary: {}, configured }];
  return { id: name.padEnd(64, '0'), name, subnets } as unknown as NetworkRecord;
}

const NETWORKS = [record('bridge', false), record('mine', true), record('auto', false)];
const lookup = (reference: string) =>
  NETWORKS.find(({ name, id }) => name === reference || id.startsWith(reference));

function wishes(
  mode: string,
  endpoints: Record<string, EndpointSettings | null> = {},
  host: HostConfig = {},
): ReturnType<typeof wishesOf> {
  const request = { NetworkingConfig: { EndpointsConfig: endpoints } };
  return wishesOf(request, { ...host, NetworkMode: mode }, lookup);
}

test('a container is on its mode’s network and on those of its endpoints, by their names', () => {
  assert.deepEqual(Object.keys(wishes('bridge')), ['bridge']);
  assert.deepEqual(Object.keys(wishes('bridge', { default: null })), ['bridge']);
  assert.deepEqual(Object.keys(wishes('mine', { auto: {}, mine: {} })), ['mine', 'auto']);
  assert.deepEqual(Object.keys(wishes('mine0000', { mine: { Aliases: ['a'] } })), ['mine']);
  assert.deepEqual(Object.keys(wishes('later')), ['later'], 'it may be made before the start');
  for (const mode of ['host', 'none', 'container:x']) assert.deepEqual(wishes(mode), {});
  assert.deepEqual(wishes('host', { host: {} }), {});
});

test("what cannot be together is refused in docker's words", () => {
  const cases: [() => unknown, RegExp][] = [
    [() => wishes('host', { mine: {} }), /cannot be connected to network endpoints: mine/],
    [() => wishes('mine', { host: {} }), /cannot attach both host and other networks/],
    [() => wishes('host', {}, { Links: ['a:b'] }), /host type networking can't be used with links/],
    [() => wishes('container:x', {}, { Dns: ['1.1.1.1'] }), /dns and the network mode/],
    [() => wishes('container:x', {}, { ExtraHosts: ['a:1.1.1.1'] }), /custom host-to-IP mapping/],
    [
      () => wishes('container:x', {}, { PortBindings: { '80/tcp': [{}] } }),
      /port publishing and the container type network mode/,
    ],
    [
      () => wishes('bridge', { bridge: { IPAMConfig: { IPv4Address: '172.17.0.9' } } }),
      /user specified IP address is supported on user defined networks only/,
    ],
    [
      () => wishes('auto', { auto: { IPAMConfig: { IPv4Address: '10.9.0.9' } } }),
      /only when connecting to networks with user configured subnets/,
    ],
    [
      () => wishes('mine', { mine: { IPAMConfig: { IPv4Address: '10.9' } } }),
      /invalid IPv4 address: 10.9/,
    ],
    [
      () => wishes('mine', { mine: { IPAMConfig: { IPv6Address: '1.2.3.4' } } }),
      /invalid IPv6 address/,
    ],
    [
      () => wishes('bridge', { bridge: { Aliases: ['x'] } }),
      /network-scoped alias is supported only/,
    ],
    [() => wishes('mine', { mine: { MacAddress: 'xyz' } }), /invalid MAC address/],
  ];
  for (const [work, message] of cases) assert.throws(work, { kind: 'invalid', message });
});

test('addresses, aliases and driver options are kept as asked', () => {
  const wish = checkWish(
    'mine',
    {
      IPAMConfig: { IPv4Address: '10.9.0.9' },
      Aliases: ['a', 'a', 'b'],
      MacAddress: '02-42-AC-11-00-02',
      DriverOpts: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1' },
      GwPriority: 7,
    },
    lookup,
  );
  assert.deepEqual(
    [wish.ipv4, wish.aliases, wish.mac, wish.gatewayPriority],
    ['10.9.0.9', ['a', 'b'], '02:42:ac:11:00:02', 7],
  );
  const foreign = { 'com.docker.network.endpoint.sysctls': 'kernel.panic=1' };
  assert.throws(() => checkWish('mine', { DriverOpts: foreign }, lookup), /is not net\.ipv4/);
});

test('every binding is a wish, and -P adds the exposed ports without one', () => {
  const config = { ExposedPorts: { '80/tcp': {}, '53/udp': {} } };
  const PortBindings = {
    '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }, { HostPort: '9000-9002' }],
  };
  assert.deepEqual(portWishes(config, { PortBindings }), [
    { protocol: 'tcp', port: 80, hostIp: '127.0.0.1', hostPorts: { first: 8080, last: 8080 } },
    { protocol: 'tcp', port: 80, hostIp: '', hostPorts: { first: 9000, last: 9002 } },
  ]);
  assert.deepEqual(portWishes(config, { PortBindings, PublishAllPorts: true }).at(-1), {
    protocol: 'udp',
    port: 53,
    hostIp: '',
    hostPorts: null,
  });
  assert.deepEqual(portWishes(config, { PortBindings: { '80/tcp': [] } }), []);
});

test('what is no port is refused', () => {
  const wrong: [string, { HostIp?: string; HostPort?: string }, RegExp][] = [
    ['80/tcp', { HostPort: 'x' }, /invalid port specification: "x"/],
    ['80/tcp', { HostPort: '70000' }, /invalid port specification/],
    ['80/tcp', { HostPort: '9-8' }, /invalid port specification/],
    ['80/tcp', { HostIp: 'nowhere' }, /invalid IP address in binding: nowhere/],
    ['0/tcp', {}, /invalid port specification/],
    ['80/sctp', {}, /there are tcp and udp/],
  ];
  for (const [port, binding, message] of wrong)
    assert.throws(() => portWishes({}, { PortBindings: { [port]: [binding] } }), message);
});

const LIVE: LiveNetwork = {
  endpoints: [
    {
      id: 'e1',
      networkId: 'mine0',
      networkName: 'mine',
      interface: 'eth0',
      mac: '02:42:0a:09:00:02',
      addresses: ['10.9.0.2/16', 'fd00::2/64'],
      gateways: ['10.9.0.1', 'fd00::1'],
      internal: false,
      gatewayPriority: 0,
      sysctls: {},
      aliases: ['www'],
      links: {},
    },
  ],
  ports: [{ protocol: 'tcp', port: 80, hostAddress: '0.0.0.0', hostPort: 8080 }],
  carrier: 'e1',
};

function container(status: 'running' | 'exited'): Container {
  return new Container(
    {
      id: 'c'.repeat(64),
      created: '',
      imageId: 'sha256:1',
      imageName: 'busybox',
      chainId: null,
      platform: 'linux',
      config: { Hostname: 'boat', ExposedPorts: { '80/tcp': {}, '81/tcp': {} } },
      hostConfig: { NetworkMode: 'mine' },
      path: 'sh',
      args: [],
      mounts: [],
      networks: { mine: { ...NO_WISH, aliases: ['www'] } },
    },
    'web',
    { ...newState(), status, pid: 5, network: status === 'running' ? LIVE : null },
  );
}

test('inspect shows endpoints and ports while a container lives, and what it asked for when not', () => {
  const live = networkSettings(container('running'), () => 'mine0');
  assert.deepEqual(live.Networks['mine'], {
    IPAMConfig: null,
    Links: null,
    Aliases: ['www'],
    MacAddress: '02:42:0a:09:00:02',
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: 'mine0',
    EndpointID: 'e1',
    Gateway: '10.9.0.1',
    IPAddress: '10.9.0.2',
    IPPrefixLen: 16,
    IPv6Gateway: 'fd00::1',
    GlobalIPv6Address: 'fd00::2',
    GlobalIPv6PrefixLen: 64,
    DNSNames: ['web', 'www', 'cccccccccccc', 'boat'],
  });
  assert.deepEqual(live.Ports, {
    '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }],
    '81/tcp': null,
  });
  assert.equal(live.IPAddress, '', 'the old members are the default bridge’s');
  const stopped = networkSettings(container('exited'), () => '');
  assert.deepEqual(
    [stopped.Ports, stopped.Networks['mine']?.IPAddress, stopped.Networks['mine']?.Aliases],
    [{}, '', ['www']],
  );
});

test('a list shows each published address, and exposed ports plainly', () => {
  const config = { ExposedPorts: { '80/tcp': {}, '81/udp': {} } };
  assert.deepEqual(portList(config, LIVE.ports), [
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { PrivatePort: 81, Type: 'udp' },
  ]);
  assert.deepEqual(portMap({}, []), {});
});

test('hosts has the own addresses, the gateway for host-gateway, and links', () => {
  const text = hostsText({
    host: { NetworkMode: 'bridge', ExtraHosts: ['host.docker.internal:host-gateway'] },
    hostname: 'boat',
    domainname: 'example.org',
    machineHosts: '',
    addresses: ['10.9.0.2', 'fd00::2'],
    gateway: '10.9.0.1',
    links: [['10.9.0.3', 'db store']],
  });
  assert.match(text, /^10\.9\.0\.1\thost\.docker\.internal$/m);
  assert.match(text, /^10\.9\.0\.3\tdb store$/m);
  assert.match(text, /^10\.9\.0\.2\tboat\.example\.org boat\nfd00::2\tboat\.example\.org boat\n$/m);
});

test('hosts keeps what the container wrote when its networks change', () => {
  const names = { hostname: 'boat', domainname: '' };
  const text = '127.0.0.1\tlocalhost\n10.9.0.2\tboat\n1.2.3.4\tmine';
  const moved = movedHosts(text, names, { before: ['10.9.0.2'], after: ['10.8.0.2'] });
  assert.equal(moved, '127.0.0.1\tlocalhost\n1.2.3.4\tmine\n10.8.0.2\tboat\n');
});

test('resolv.conf asks the gateway; own servers replace it where no names are known, else it asks them', () => {
  const machineResolv = '# x\nnameserver 192.0.2.1\nsearch example.org\noptions rotate\n';
  const text = (input: Partial<Parameters<typeof resolvText>[0]>) =>
    resolvText({ host: {}, machineResolv, ...input });
  assert.equal(text({}), 'nameserver 192.0.2.1\nsearch example.org\noptions rotate\n');
  assert.equal(
    text({ server: '10.9.0.1' }),
    'nameserver 10.9.0.1\nsearch example.org\noptions rotate\n',
  );
  const host = { Dns: ['198.51.100.1'] };
  assert.match(text({ server: '10.9.0.1', host }), /^nameserver 198\.51\.100\.1\nsearch/);
  const named = { server: '10.9.0.1', knowsNames: true };
  assert.equal(
    text({ ...named, host }),
    'nameserver 10.9.0.1\nsearch example.org\noptions rotate ndots:0\n',
  );
  const own = { Dns: ['127.0.0.1', '::1'], DnsSearch: ['a', 'b'], DnsOptions: ['ndots:2', 'x'] };
  assert.equal(
    text({ ...named, host: own }),
    'nameserver 10.9.0.1\nnameserver 127.0.0.1\nnameserver ::1\nsearch a b\noptions ndots:2 x\n',
    'only the container itself can ask its own loopback',
  );
});

test('listening sockets are read from the kernel’s tables in both families', () => {
  const head =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const line = (address: string, state: string, inode: number) =>
    `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${String(inode)} 1 0 100 0 0 10 0\n`;
  const four = `${head}${line('0100007F:1F90', '0A', 11)}${line('00000000:0050', '01', 12)}`;
  assert.deepEqual(parseListening(four), [{ port: 8080, address: '127.0.0.1', inode: '11' }]);
  const six = `${head}${line('00000000000000000000000001000000:0050', '0A', 13)}`;
  assert.deepEqual(parseListening(six), [{ port: 80, address: '::1', inode: '13' }]);
  assert.deepEqual(parseListening(''), []);
});

test('counters are read for every interface but loopback', () => {
  const text =
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n' +
    '    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0\n' +
    '  eth0:    5000      40    1    2    0     0          0         0      700       6    3    4    0     0       0          0\n';
  assert.deepEqual(parseInterfaces(text), {
    eth0: {
      rx_bytes: 5000,
      rx_packets: 40,
      rx_errors: 1,
      rx_dropped: 2,
      tx_bytes: 700,
      tx_packets: 6,
      tx_errors: 3,
      tx_dropped: 4,
    },
  });
});

/** Checks who is connected to what against a helper that only remembers: requests and their order, ports, names, and what happens when the helper breaks down. */

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { EngineError } from '../../lib/errors.ts';
import type { NetAnswer, NetLink, NetSupervisor } from '../runtime/net.ts';
import { HelperSandboxes } from './sandboxes.ts';
import type { EndpointWish, NetworkRecord, PortWish } from './types.ts';

type Request = Record<string, unknown> & { op: string };

/** Answers everything with ok, but for what `refuse` names. */
class FakeHelper implements NetSupervisor {
  sent: Request[] = [];
  refuse: (request: Request) => EngineError | undefined = () => undefined;
  state: NetAnswer = { networks: [] };
  generation = 0;
  #lost: () => void = () => undefined;
  #isOpen = false;
  #current: NetLink | undefined;

  link(): Promise<NetLink> {
    if (this.#isOpen && this.#current !== undefined) return Promise.resolve(this.#current);
    this.#isOpen = true;
    const generation = ++this.generation;
    const isOpen = () => this.#isOpen && generation === this.generation;
    this.#current = {
      get isOpen() {
        return isOpen();
      },
      closed: new Promise(() => undefined),
      send: async (request) => {
        await Promise.resolve();
        if (!isOpen()) throw new EngineError('unavailable', 'gone');
        this.sent.push(request as Request);
        const error = this.refuse(request as Request);
        if (error !== undefined) throw error;
        return (request as Request).op === 'state' ? this.state : {};
      },
    };
    return Promise.resolve(this.#current);
  }

  onLost(listener: () => void): void {
    this.#lost = listener;
  }

  dial(): Promise<never> {
    return Promise.reject(new EngineError('unavailable', 'no dial here'));
  }

  release(): void {
    this.#isOpen = false;
  }

  crash(): void {
    this.#isOpen = false;
    this.#lost();
  }

  ops(): string[] {
    return this.sent.map(({ op }) => op);
  }

  take(op: string): Request[] {
    return this.sent.filter((request) => request.op === op);
  }
}

function network(name: string, number: number, more: Partial<NetworkRecord> = {}): NetworkRecord {
  return {
    id: name.padEnd(64, '0'),
    name,
    number,
    created: '',
    driver: 'bridge',
    predefined: name === 'bridge',
    internal: false,
    attachable: false,
    enableIPv4: true,
    enableIPv6: false,
    subnets: [
      {
        cidr: `10.${String(number)}.0.0/24`,
        gateway: `10.${String(number)}.0.1`,
        auxiliary: {},
        configured: true,
      },
    ],
    ipamOptions: {},
    options: {},
    labels: {},
    bridge: `br${String(number)}`,
    mtu: 1500,
    ...more,
  };
}

const NETWORKS = [
  network('bridge', 1),
  network('front', 2),
  network('back', 3, { internal: true }),
];
const PROCESS = { pid: 42, startTime: 7 };
let helper: FakeHelper;
let events: string[];
let sandboxes: HelperSandboxes;

beforeEach(() => {
  helper = new FakeHelper();
  events = [];
  sandboxes = new HelperSandboxes({
    supervisor: helper,
    possible: true,
    find: (name) => {
      const found = NETWORKS.find((one) => one.name === name || one.id === name);
      if (found === undefined) throw new EngineError('not-found', `network ${name} not found`);
      return found;
    },
    byId: (id) => NETWORKS.find((one) => one.id === id),
    numbers: () => NETWORKS.map(({ number }) => number),
    emit: (action, _id, { name = '', container = '' }) =>
      events.push(`${action} ${container} ${name}`),
    ports: { hostHasIPv6: true, ephemeral: { first: 40_000, last: 40_009 } },
    hostLoopback: false,
    warn: () => undefined,
  });
});

const wish = (more: Partial<EndpointWish> = {}): EndpointWish => ({
  aliases: [],
  links: [],
  driverOptions: {},
  gatewayPriority: 0,
  ...more,
});

const port = (more: Partial<PortWish> = {}): PortWish => ({
  protocol: 'tcp',
  port: 80,
  hostIp: '',
  hostPorts: null,
  ...more,
});

async function start(
  id: string,
  wishes: Record<string, EndpointWish>,
  ports: readonly PortWish[] = [],
): ReturnType<HelperSandboxes['connect']> {
  const prepared = sandboxes.prepare(
    { id, name: `${id}-name`, hostname: id },
    new Map(Object.entries(wishes)),
  );
  return sandboxes.connect(prepared, PROCESS, ports);
}

const fixed = (number: number) => ({ first: number, last: number });

test('a start tells the network, the link, its ports and the names, in this order and once', async () => {
  const live = await start('a', { front: wish({ aliases: ['web'] }) }, [
    port({ hostPorts: fixed(8080) }),
  ]);
  assert.deepEqual(helper.ops(), ['network', 'attach', 'publish', 'names']);
  const [attach] = helper.take('attach');
  assert.deepEqual(
    [
      attach?.['network'],
      attach?.['pid'],
      attach?.['interface'],
      attach?.['addresses'],
      attach?.['gateways'],
      attach?.['mac'],
    ],
    ['2', 42, 'eth0', ['10.2.0.2/24'], ['10.2.0.1'], '02:42:0a:02:00:02'],
  );
  assert.deepEqual(
    live.ports.map(({ hostAddress, hostPort }) => [hostAddress, hostPort]),
    [
      ['0.0.0.0', 8080],
      ['::', 8080],
    ],
  );
  const [names] = helper.take('names');
  assert.deepEqual(names?.['names'], {
    'a-name': ['10.2.0.2'],
    web: ['10.2.0.2'],
    a: ['10.2.0.2'],
  });
  assert.deepEqual([names['clients'], names['forward']], [{}, true]);
  await start('b', { front: wish() });
  assert.deepEqual(helper.ops().slice(4), ['attach', 'names'], 'the network is known');
  assert.deepEqual(events, ['connect a front', 'connect b front']);
});

test('whoever has own resolvers is asked for at them, where the engine’s server alone is named', async () => {
  const resolvers = ['198.51.100.1', '2001:db8::53'];
  const run = async (id: string, wishes: Record<string, EndpointWish>): Promise<void> => {
    const prepared = sandboxes.prepare(
      { id, name: id, hostname: id, resolvers },
      new Map(Object.entries(wishes)),
    );
    await sandboxes.connect(prepared, { pid: 42, startTime: 7 }, []);
  };
  await run('plain', { bridge: wish() });
  assert.deepEqual(helper.take('names').at(-1)?.['resolvers'], {});
  await run('named', { front: wish() });
  const last = helper.take('names').findLast((one) => one['network'] === '2');
  assert.deepEqual(last?.['resolvers'], { '10.2.0.2': resolvers });
});

test('the default bridge resolves no names', async () => {
  await start('a', { bridge: wish() });
  assert.deepEqual(helper.take('names')[0]?.['names'], {});
});

test('of several networks one has the default route, and its name server knows the others', async () => {
  await start('db', { back: wish({ aliases: ['sql'] }) });
  await start('app', { back: wish(), front: wish({ links: ['db-name:store'] }) });
  const [own, back, front] = helper.take('attach');
  assert.deepEqual(own?.['gateways'], [], 'an internal network leads nowhere');
  assert.deepEqual([back?.['interface'], back?.['gateways']], ['eth0', []]);
  assert.deepEqual([front?.['interface'], front?.['gateways']], ['eth1', ['10.2.0.1']]);
  const table = helper.take('names').findLast((one) => one['network'] === '2');
  const clients = table?.['clients'] as Record<string, Record<string, string[]>>;
  assert.deepEqual(clients['10.2.0.2']?.['sql'], ['10.3.0.2']);
  const inside = helper.take('names').findLast((one) => one['network'] === '3');
  assert.equal(inside?.['forward'], false);
});

test('several answers have one name', async () => {
  await start('a', { front: wish({ aliases: ['svc'] }) });
  await start('b', { front: wish({ aliases: ['svc'] }) });
  const names = helper.take('names').at(-1)?.['names'] as Record<string, string[]>;
  assert.deepEqual(names['svc'], ['10.2.0.2', '10.2.0.3']);
});

test('a container that ends gives everything back, and a late second end takes nothing from others', async () => {
  await start('a', { front: wish({ ipv4: '10.2.0.50' }) }, [port({ hostPorts: fixed(8080) })]);
  await sandboxes.disconnect('a');
  assert.deepEqual(helper.ops().slice(4), ['publish', 'names']);
  assert.deepEqual(helper.take('publish').at(-1)?.['ports'], [], 'the links go with the process');
  assert.deepEqual(sandboxes.members(NETWORKS[1]?.id ?? ''), []);
  await start('b', { front: wish({ ipv4: '10.2.0.50' }) }, [port({ hostPorts: fixed(8080) })]);
  await sandboxes.disconnect('a');
  await assert.rejects(
    start('c', { front: wish({ ipv4: '10.2.0.50' }) }),
    /Address already in use/,
  );
});

test("a port of our own is refused in docker's words, and the start leaves nothing", async () => {
  await start('a', { front: wish() }, [port({ hostPorts: fixed(8080) })]);
  const again = start('b', { front: wish() }, [port({ hostPorts: fixed(8080) })]);
  await assert.rejects(
    again,
    /driver failed programming external connectivity on endpoint b-name \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8080 failed: port is already allocated/,
  );
  assert.equal(sandboxes.of('b'), undefined);
  await start('c', { front: wish() }, [
    port({ hostPorts: fixed(8080), hostIp: '127.0.0.1', protocol: 'udp' }),
  ]);
});

test("a stranger's port is told, or passed over where another will do", async () => {
  const strangers = [40_000, 40_001, 9000];
  helper.refuse = (request) => {
    if (request.op !== 'publish') return undefined;
    const ports = request['ports'] as { hostPort: number }[];
    const taken = ports.some(({ hostPort }) => strangers.includes(hostPort));
    return taken ? new EngineError('conflict', 'in use', { errno: 'EADDRINUSE' }) : undefined;
  };
  const live = await start('a', { front: wish() }, [port()]);
  assert.deepEqual(
    live.ports.map(({ hostPort }) => hostPort),
    [40_002, 40_002],
  );
  const range = await start('b', { front: wish() }, [
    port({ hostPorts: { first: 9000, last: 9001 } }),
  ]);
  assert.equal(range.ports[0]?.hostPort, 9001);
  await assert.rejects(
    start('c', { front: wish() }, [port({ hostPorts: fixed(9000) })]),
    /failed to bind host port 0\.0\.0\.0:9000\/tcp: address already in use/,
  );
});

test('a low port without the right says how to allow it', async () => {
  helper.refuse = ({ op }) => (op === 'publish' ? new EngineError('forbidden', 'no') : undefined);
  await assert.rejects(
    start('a', { front: wish() }, [port({ hostPorts: fixed(80) })]),
    /sysctl -w net\.ipv4\.ip_unprivileged_port_start=80/,
  );
});

test('a link that fails undoes the whole start', async () => {
  helper.refuse = ({ op }) =>
    op === 'attach' ? new EngineError('internal', 'no link') : undefined;
  await assert.rejects(start('a', { front: wish({ ipv4: '10.2.0.9' }) }), /no link/);
  helper.refuse = () => undefined;
  await start('b', { front: wish({ ipv4: '10.2.0.9' }) });
  assert.deepEqual(events, ['connect b front']);
});

test('networks are joined and left while running, and the default route moves', async () => {
  await start('a', { front: wish() }, [port({ hostPorts: fixed(8080) })]);
  await sandboxes.join('a', 'bridge', wish());
  const [route] = helper.take('route');
  assert.deepEqual(route?.['gateways'], [], 'bridge sorts before front');
  assert.deepEqual(helper.take('attach')[1]?.['gateways'], ['10.1.0.1']);
  const live = await sandboxes.leave('a', NETWORKS[1]?.id ?? '');
  assert.deepEqual(
    live.endpoints.map(({ networkName }) => networkName),
    ['bridge'],
  );
  assert.deepEqual(helper.take('route').at(-1)?.['gateways'], ['10.1.0.1']);
  assert.deepEqual(events, ['connect a front', 'connect a bridge', 'disconnect a front']);
});

test('ports follow when the network that carried them is left', async () => {
  await start('a', { front: wish(), bridge: wish({ gatewayPriority: -1 }) }, [
    port({ hostPorts: fixed(8080) }),
  ]);
  const live = await sandboxes.leave('a', NETWORKS[1]?.id ?? '');
  assert.equal(helper.take('publish').at(-1)?.['network'], '1');
  assert.equal(live.ports[0]?.hostPort, 8080);
});

test('ports stay where they are when a network with a better route comes', async () => {
  await start('a', { front: wish() }, [port({ hostPorts: fixed(8080) })]);
  await sandboxes.join('a', 'bridge', wish());
  assert.equal(helper.take('publish').length, 1);
  await sandboxes.leave('a', NETWORKS[1]?.id ?? '');
  assert.equal(helper.take('publish').at(-1)?.['network'], '1');
});

test('a rename is a new table of names', async () => {
  await start('a', { front: wish() });
  sandboxes.rename('a', 'renamed');
  await new Promise((resolve) => setImmediate(resolve));
  const names = helper.take('names').at(-1)?.['names'] as Record<string, string[]>;
  assert.deepEqual(Object.keys(names).sort(), ['a', 'renamed']);
});

test('a helper that breaks down is told everything anew', async () => {
  await start('a', { front: wish() }, [port()]);
  const before = sandboxes.of('a');
  helper.sent = [];
  helper.crash();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(helper.ops(), ['network', 'attach', 'publish', 'names']);
  assert.deepEqual(sandboxes.of('a'), before);
});

test('a start during which the helper ends is tried with the next one', async () => {
  let isFirst = true;
  helper.refuse = ({ op }) => {
    if (op !== 'attach' || !isFirst) return undefined;
    isFirst = false;
    helper.crash();
    return new EngineError('unavailable', 'gone');
  };
  const live = await start('a', { front: wish() }, [port({ hostPorts: fixed(8080) })]);
  assert.equal(live.ports[0]?.hostPort, 8080);
  assert.equal(helper.generation, 2);
});

test('a restarted engine takes up its containers, and reconciles the helper with them', async () => {
  const live = await start('a', { front: wish() }, [port({ hostPorts: fixed(8080) })]);
  const [endpoint] = live.endpoints;
  helper.sent = [];
  helper.state = {
    networks: [
      { id: '2', endpoints: ['stale'] },
      { id: '9', endpoints: [] },
    ],
  };
  sandboxes.adopt({ id: 'a', name: 'a-name', hostname: 'a' }, PROCESS, live);
  await sandboxes.reconcile();
  assert.deepEqual(
    helper.take('detach').map((one) => one['endpoint']),
    ['stale'],
  );
  assert.deepEqual(
    helper.take('remove-network').map((one) => one['id']),
    ['9'],
  );
  assert.deepEqual(
    helper.take('attach').map((one) => one['endpoint']),
    [endpoint?.id],
  );
  helper.sent = [];
  helper.state = { networks: [{ id: '2', endpoints: [{ endpoint: endpoint?.id }] }] };
  await sandboxes.reconcile();
  assert.deepEqual(helper.take('attach'), [], 'what is there stays');
});

test('unknown networks are refused before anything is sent, and addresses come back', async () => {
  assert.throws(
    () =>
      sandboxes.prepare(
        { id: 'a', name: 'a', hostname: 'a' },
        new Map([
          ['front', wish({ ipv4: '10.2.0.7' })],
          ['nope', wish()],
        ]),
      ),
    /network nope not found/,
  );
  const prepared = sandboxes.prepare(
    { id: 'b', name: 'b', hostname: 'b' },
    new Map([['front', wish({ ipv4: '10.2.0.7' })]]),
  );
  sandboxes.abandon(prepared);
  sandboxes.abandon(prepared);
  await start('c', { front: wish({ ipv4: '10.2.0.7' }) });
});

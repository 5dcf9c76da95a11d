/** Ours, pasta and slirp4netns, each joining one network namespace of an ordinary user to the host, so that the same traffic can be sent through all. It measures nothing. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { end, sendSignal } from '../support/children.ts';
import { command, ROOT } from '../support/engine.ts';
import { freePort } from '../support/network.ts';
import type { TestUser } from '../support/users.ts';

/** A namespace with a way to the host, and a port of it published. */
export interface Carrier {
  readonly name: string;
  /** A process in the namespace. */
  readonly pid: number;
  /** The host's loopback as the namespace sees it. */
  readonly host: string;
  /** The process that carries the traffic. */
  readonly carrierPid: number;
  /** The published port, on the host's loopback and inside. */
  readonly port: number;
  stop(): Promise<void>;
}

interface Place {
  readonly user: TestUser;
  /** Readable by the user. */
  readonly dir: string;
  readonly port: number;
}

/** All that are installed; ours first. */
export async function startCarriers(user: TestUser, dir: string): Promise<Carrier[]> {
  const started: Carrier[] = [];
  try {
    started.push(await startOurs({ user, dir, port: await freePort() }));
    if (existsSync('/usr/bin/pasta'))
      started.push(await startPasta({ user, dir, port: await freePort() }));
    if (existsSync('/usr/bin/slirp4netns'))
      started.push(await startSlirp({ user, dir, port: await freePort() }));
    return started;
  } catch (error) {
    for (const carrier of started) await carrier.stop();
    throw error;
  }
}

/** `net` with one network whose gateway is the host's loopback, in a user namespace with one id. */
async function startOurs({ user, dir, port }: Place): Promise<Carrier> {
  const native = join(dir, 'pinnace-native');
  copyFileSync(
    process.env['PINNACE_NATIVE'] ?? join(ROOT, 'out', 'native', 'pinnace-native'),
    native,
  );
  chmodSync(native, 0o755);
  const state = join(user.home, 'net');
  const script = `mkdir -p ${state}; echo '{"dir":"${state}"}' | ${native} net || exit 1; exec unshare -n sh -c 'echo $$; exec sleep 100000'`;
  const child = start([...user.as({}), 'unshare', '-Ur', 'sh', '-c', script]);
  const lines = linesOf(child);
  const net = JSON.parse(await lines()) as { pid: number };
  const pid = Number(await lines());
  const ask = (request: object): Promise<unknown> => askNet(join(state, 'net.sock'), request);
  await ask({
    op: 'network',
    id: 'bench',
    bridge: 'bench0',
    subnets: [{ cidr: '10.123.0.0/24', gateway: '10.123.0.1' }],
    internal: false,
    mtu: 1500,
    hostLoopback: true,
  });
  await ask({
    op: 'attach',
    network: 'bench',
    endpoint: 'bench',
    pid,
    startTime: startTimeOf(pid),
    interface: 'eth0',
    mac: '02:42:0a:7b:00:02',
    addresses: ['10.123.0.2/24'],
    gateways: ['10.123.0.1'],
    sysctls: {},
  });
  const published = { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: port };
  await ask({
    op: 'publish',
    network: 'bench',
    endpoint: 'bench',
    ports: [{ ...published, address: '10.123.0.2', port }],
  });
  const told = (await ask({ op: 'state' })) as { networks: { uplinkPid: number }[] };
  return {
    name: 'ours',
    pid,
    host: '10.123.0.1',
    carrierPid: told.networks[0]?.uplinkPid ?? net.pid,
    port,
    stop: async () => {
      await ask({ op: 'stop', force: true });
      await endTree(child);
    },
  };
}

/** pasta maps the host's gateway to the host's loopback. */
async function startPasta({ user, dir, port }: Place): Promise<Carrier> {
  const holder = await startHolder(user);
  const flags = ['-f', '-q', '--config-net', '-t', String(port)];
  const closed = ['-u', 'none', '-T', 'none', '-U', 'none'];
  const child = start([...withTun(dir, user), 'pasta', ...flags, ...closed, String(holder.pid)]);
  await delay(1000);
  const route = await command(['ip', '-4', 'route', 'show', 'default']);
  const gateway = /via (\S+)/.exec(route.stdout)?.[1];
  if (gateway === undefined) throw new Error('pasta needs a default route on this machine');
  return {
    name: 'pasta',
    pid: holder.pid,
    host: gateway,
    carrierPid: child.pid ?? 0,
    port,
    stop: async () => {
      await endTree(child);
      await endTree(holder.child);
    },
  };
}

async function startSlirp({ user, dir, port }: Place): Promise<Carrier> {
  const holder = await startHolder(user);
  const socket = join(user.home, 'slirp.sock');
  const flags = ['--configure', '--mtu=65520', '--api-socket', socket];
  const userns = `--userns-path=/proc/${holder.pid}/ns/user`;
  const child = start([
    ...withTun(dir, user),
    'slirp4netns',
    ...flags,
    userns,
    String(holder.pid),
    'tap0',
  ]);
  for (let tries = 0; !existsSync(socket); tries += 1) {
    if (tries > 100) throw new Error('slirp4netns did not start');
    await delay(50);
  }
  await delay(300);
  const forward = { proto: 'tcp', host_addr: '127.0.0.1', host_port: port, guest_port: port };
  const client = connect(socket);
  client.end(JSON.stringify({ execute: 'add_hostfwd', arguments: forward }));
  client.resume();
  await once(client, 'close');
  return {
    name: 'slirp4netns',
    pid: holder.pid,
    host: '10.0.2.2',
    carrierPid: child.pid ?? 0,
    port,
    stop: async () => {
      await endTree(child);
      await endTree(holder.child);
    },
  };
}

/** A process of the user in user and network namespaces of its own. */
async function startHolder(user: TestUser): Promise<{ child: ChildProcess; pid: number }> {
  const script = 'echo $$; exec sleep 100000';
  const child = start([...user.as({}), 'unshare', '-Urn', 'sh', '-c', script]);
  return { child, pid: Number(await linesOf(child)()) };
}

/** Words that run what follows as the user, with a tun device that any user may open, as desktops have it. */
function withTun(dir: string, user: TestUser): string[] {
  const tun = join(dir, 'tun');
  const setup = `[ -e ${tun} ] || mknod -m 666 ${tun} c 10 200; mkdir -p /dev/net; [ -e /dev/net/tun ] || : > /dev/net/tun; mount --bind ${tun} /dev/net/tun; exec "$@"`;
  return ['unshare', '-m', 'sh', '-c', setup, 'sh', ...user.as({})];
}

function start(words: readonly string[]): ChildProcess {
  const [program = '', ...args] = words;
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], cwd: '/' });
}

/** Gives the child's lines one by one; throws when there are no more. */
function linesOf(child: ChildProcess): () => Promise<string> {
  if (child.stdout === null) throw new Error('the child has no standard output');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return async () => {
    const next = await lines.next();
    if (next.done === true) throw new Error(`${child.spawnargs.join(' ')} ended early`);
    return next.value;
  };
}

async function endTree(child: ChildProcess): Promise<void> {
  for (const pid of descendants(child.pid ?? 0)) sendSignal(pid, 'SIGKILL');
  await end(child);
}

function descendants(of: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const found: number[] = [];
  for (const [pid, parent] of parents) if (parent === of || found.includes(parent)) found.push(pid);
  return found;
}

/** Field 22 of /proc/PID/stat, as the helper's contract wants it. */
export function startTimeOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

/** One request and its answer over `net.sock`; throws what the answer says is wrong. */
export async function askNet(path: string, request: object): Promise<unknown> {
  const socket = connect(path);
  socket.write(`${JSON.stringify(request)}\n`);
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  socket.destroy();
  const answer = JSON.parse(text) as { error?: { message: string } };
  if (answer.error !== undefined)
    throw new Error(`${JSON.stringify(request)}: ${answer.error.message}`);
  return answer;
}

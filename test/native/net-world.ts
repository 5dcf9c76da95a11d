/** A host for the network's tests that is not this machine: a network namespace with loopback only, a resolv.conf of its own, `net` in it as root or as an ordinary user, and containers that are network namespaces. It ends every process that it starts. */

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { end } from '../support/children.ts';
import { command, type CommandOptions, type Result } from '../support/engine.ts';
import { makeUser, type TestUser } from '../support/users.ts';
import { nativeBinary } from './shim-rig.ts';

export type Answer = Readonly<Record<string, unknown>>;

export interface Subnet {
  readonly cidr: string;
  readonly gateway: string;
}

/** A namespace of its own, standing for a container. */
export interface Box {
  readonly pid: number;
  /** Runs a command in it, as root. */
  run(words: readonly string[], options?: CommandOptions): Promise<Result>;
}

/** What a child says line by line. */
interface Started {
  readonly child: ChildProcess;
  line(): Promise<string>;
}

export class World {
  readonly dir = mkdtempSync('/tmp/pinnace-world-');
  readonly user: TestUser | undefined;
  readonly #native: string;
  readonly #children: ChildProcess[] = [];
  #pid = 0;
  #holder = 0;
  #endpoints = 0;

  private constructor(as: 'root' | 'user') {
    chmodSync(this.dir, 0o755);
    this.user = as === 'user' ? makeUser({ subids: 'none' }) : undefined;
    this.#native = join(this.dir, 'pinnace-native');
    copyFileSync(nativeBinary(), this.#native);
    chmodSync(this.#native, 0o755);
  }

  /** A world whose resolv.conf has this text, with `net` running in it. */
  static async make(as: 'root' | 'user', resolvConf: string): Promise<World> {
    const world = new World(as);
    try {
      await world.#start(resolvConf);
      return world;
    } catch (error) {
      await world.end();
      throw error;
    }
  }

  get state(): string {
    return join(this.user?.home ?? this.dir, 'net');
  }

  async #start(resolvConf: string): Promise<void> {
    this.resolve(resolvConf);
    const script = `ip link set lo up && touch /etc/resolv.conf && mount --bind ${this.dir}/etc /etc/resolv.conf && echo $$ && exec sleep 100000`;
    const host = this.spawn(['unshare', '-n', '-m', 'sh', '-c', script], 'here');
    this.#pid = Number(await host.line());
    const net = `mkdir -p ${this.state}; echo '{"dir":"${this.state}"}' | ${this.#native} net || exit 1; echo $$; exec sleep 100000`;
    const own = this.user === undefined ? [] : [...this.user.as({}), 'unshare', '-Ur'];
    const holder = this.spawn([...own, 'sh', '-c', net], 'inside');
    JSON.parse(await holder.line());
    this.#holder = Number(await holder.line());
  }

  /** Writes the world's resolv.conf; the bind mount shows it at once. */
  resolve(text: string): void {
    writeFileSync(join(this.dir, 'etc'), text);
  }

  /** Words that run what follows on the world's host, as root. */
  get host(): string[] {
    return ['nsenter', '-t', String(this.#pid), '-n', '-m', '--'];
  }

  spawn(words: readonly string[], where: 'here' | 'inside'): Started {
    const [program = '', ...args] = where === 'here' ? words : [...this.host, ...words];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' });
    this.#children.push(child);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return {
      child,
      line: async () => {
        const next = await lines.next();
        if (next.done === true) throw new Error(`${words.join(' ')} ended early`);
        return next.value;
      },
    };
  }

  /** One request to `net`; the answer may be an error. */
  async ask(request: object): Promise<Answer> {
    const socket = connect(join(this.state, 'net.sock'));
    socket.write(`${JSON.stringify(request)}\n`);
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.includes('\n')) break;
    }
    socket.destroy();
    return JSON.parse(text) as Answer;
  }

  /** The same; an error fails the test. */
  async must(request: object): Promise<Answer> {
    const answer = await this.ask(request);
    assert.equal(answer['ok'], true, `${JSON.stringify(request)}: ${JSON.stringify(answer)}`);
    return answer;
  }

  network(id: string, subnets: readonly Subnet[], options: object = {}): Promise<Answer> {
    const bridge = `test${id}`;
    const rest = { internal: false, mtu: 1500, hostLoopback: false, ...options };
    return this.must({ op: 'network', id, bridge, subnets, ...rest });
  }

  /** A container on a network. */
  async box(
    network: string,
    addresses: readonly string[],
    gateways: readonly string[],
  ): Promise<Box> {
    const entered = ['-t', String(this.#holder), '-U', '--preserve-credentials'];
    const prefix = this.user === undefined ? [] : [...this.user.as({}), 'nsenter', ...entered];
    const script = 'echo $$; exec sleep 100000';
    const holder = this.spawn([...prefix, 'unshare', '-n', 'sh', '-c', script], 'inside');
    const pid = Number(await holder.line());
    this.#endpoints += 1;
    const tail = this.#endpoints.toString(16).padStart(2, '0');
    await this.must({
      op: 'attach',
      network,
      endpoint: `endpoint${this.#endpoints}`,
      pid,
      startTime: startTimeOf(pid),
      interface: 'eth0',
      mac: `02:99:00:00:00:${tail}`,
      addresses,
      gateways,
      sysctls: {},
    });
    const prefixOf = ['nsenter', '-t', String(pid), '-n', '--'];
    return { pid, run: (words, options) => command([...prefixOf, ...words], options) };
  }

  /** What is left of the user's own processes. */
  #endUser(): void {
    if (this.user === undefined) return;
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      try {
        if (statSync(`/proc/${name}`).uid === this.user.uid) process.kill(Number(name), 'SIGKILL');
      } catch {
        // It ended while we looked.
      }
    }
  }

  /** The uplink's process of a network. */
  async uplink(id: string): Promise<number> {
    const { networks } = (await this.must({ op: 'state' })) as unknown as {
      networks: { id: string; uplinkPid: number }[];
    };
    return networks.find((network) => network.id === id)?.uplinkPid ?? 0;
  }

  async end(): Promise<void> {
    await this.ask({ op: 'stop', force: true }).catch(() => undefined);
    for (const child of this.#children.reverse()) await end(child);
    this.#endUser();
    this.user?.remove();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function startTimeOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

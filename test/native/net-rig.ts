// Drives `net` for the supervisor's tests: starts it as root or as a user with a single id, makes processes
// with network namespaces of their own for it, and looks into the engine's namespace. It ends everything
// that it starts and checks that nothing is left.

import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { end } from '../support/children.ts';
import { makeUser, type TestUser } from '../support/users.ts';
import { Connection, nativeBinary, runs, until, type Json } from './shim-rig.ts';

export type NetMode = 'system' | 'single-id';

/** A process with a network namespace of its own. */
export interface Box {
  readonly pid: number;
  readonly startTime: number;
  /** Runs a command in its namespace; its output. */
  run(...words: readonly string[]): string;
  /** Starts a command in its namespace. */
  start(...words: readonly string[]): ChildProcess;
  end(): Promise<void>;
}

export interface Link {
  readonly ifname: string;
  readonly mtu: number;
  readonly address: string;
  readonly operstate: string;
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
}

export class NetRig {
  readonly mode: NetMode;
  readonly root = mkdtempSync('/tmp/pnnet-');
  readonly dir: string;
  readonly #binary: string;
  readonly #user: TestUser | undefined;
  readonly #children: ChildProcess[] = [];
  /** A process in the engine's user namespace, which every other joins. */
  #engine: ChildProcess | undefined;
  #supervisor = 0;

  constructor(mode: NetMode) {
    assert.equal(process.getuid?.(), 0, 'these tests make users and namespaces: run them as root');
    this.mode = mode;
    chmodSync(this.root, 0o755);
    this.#binary = join(this.root, 'pn');
    copyFileSync(nativeBinary(), this.#binary);
    chmodSync(this.#binary, 0o755);
    this.#user = mode === 'single-id' ? makeUser({ subids: 'none' }) : undefined;
    this.dir = join(this.root, 'd');
    mkdirSync(this.dir, { mode: 0o700 });
    if (this.#user) chownSync(this.dir, this.#user.uid, this.#user.uid);
  }

  get supervisor(): number {
    return this.#supervisor;
  }

  /** Makes the user namespace, if the mode has one, and starts the supervisor. */
  async begin(): Promise<Json> {
    if (this.#user && !this.#engine) {
      this.#engine = this.#spawn([...this.#user.as({}), 'unshare', '-Ur', ...waiting]);
      await firstLine(this.#engine);
    }
    return this.start();
  }

  /** Runs `net` once more. */
  start(): Json {
    const result = this.native(JSON.stringify({ dir: this.dir }));
    assert.equal(result.status, 0, result.stderr);
    const answer = JSON.parse(result.stdout) as Json;
    this.#supervisor = Number(answer['pid']);
    return answer;
  }

  native(input: string): { status: number | null; stdout: string; stderr: string } {
    const [command = '', ...args] = this.#entered([this.#binary, 'net']);
    return spawnSync(command, args, { input, encoding: 'utf8', timeout: 20_000 });
  }

  #entered(words: readonly string[]): string[] {
    if (!this.#user) return [...words];
    const pid = String(this.#engine?.pid);
    const join = ['nsenter', '-U', '--preserve-credentials', '-t', pid];
    return [...this.#user.as({}), ...join, ...words];
  }

  #spawn(words: readonly string[]): ChildProcess {
    const [command = '', ...args] = words;
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' });
    this.#children.push(child);
    return child;
  }

  async box(): Promise<Box> {
    const child = this.#spawn(this.#entered(['unshare', '-n', ...waiting]));
    await firstLine(child);
    const pid = Number(child.pid);
    const inside = (words: readonly string[]) => ['nsenter', '-t', String(pid), '-n', ...words];
    return {
      pid,
      startTime: startTimeOf(pid),
      run: (...words) => output(inside(words)),
      start: (...words) => this.#spawn(inside(words)),
      end: () => end(child),
    };
  }

  connect(): Connection {
    return new Connection(join(this.dir, 'net.sock'));
  }

  /** One request on a connection of its own. */
  async ask(request: object): Promise<Json> {
    const connection = this.connect();
    connection.socket.write(`${JSON.stringify(request)}\n`);
    const answer = await connection.line();
    connection.socket.destroy();
    return answer;
  }

  /** The same; an error fails the test. */
  async must(request: object): Promise<Json> {
    const answer = await this.ask(request);
    assert.equal(answer['ok'], true, `${JSON.stringify(request)}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** The error of a request that must fail. */
  async fails(request: object): Promise<{ kind: string; message: string; errno: string | null }> {
    const answer = await this.ask(request);
    const error = answer['error'] as { kind: string; message: string; errno: string | null };
    assert.ok(error, `no error: ${JSON.stringify(answer)}`);
    return error;
  }

  async networks(): Promise<
    { id: string; uplinkPid: number; endpoints: string[]; ports: Json[] }[]
  > {
    return (await this.must({ op: 'state' }))['networks'] as never;
  }

  async endpoints(): Promise<string[]> {
    return (await this.networks()).flatMap((network) => network.endpoints);
  }

  /** The links of the engine's own namespace. */
  links(): Link[] {
    return JSON.parse(output([...this.#space(), 'ip', '-j', 'addr'])) as Link[];
  }

  /** Words that run what follows in the engine's namespace. */
  #space(): string[] {
    const own = readlinkSync(`/proc/${String(this.#supervisor)}/ns/net`);
    const fds = `/proc/${String(this.#supervisor)}/fd`;
    const found = readdirSync(fds).find((name) => {
      const target = readlinkSync(join(fds, name));
      return target.startsWith('net:') && target !== own;
    });
    assert.ok(found, "the supervisor holds no namespace's descriptor");
    return ['nsenter', `--net=${join(fds, found)}`];
  }

  descriptors(): number {
    return readdirSync(`/proc/${String(this.#supervisor)}/fd`).length;
  }

  /** Stops the supervisor and every process, then checks that nothing is left. */
  async dispose(): Promise<void> {
    const uplinks: number[] = [];
    if (runs(this.#supervisor)) {
      uplinks.push(...(await this.networks()).map((network) => network.uplinkPid));
      await this.must({ op: 'stop', force: true });
      await until(() => !runs(this.#supervisor), 'the end of the supervisor');
    }
    for (const child of this.#children.reverse()) await end(child);
    for (const pid of uplinks) assert.ok(!runs(pid), `uplink ${String(pid)} still runs`);
    assert.deepEqual(
      readdirSync(this.dir).filter((name) => name !== 'net.lock'),
      [],
      'files are left',
    );
    this.#user?.remove();
    rmSync(this.root, { recursive: true, force: true });
    assert.ok(!existsSync(this.root));
  }
}

const waiting = ['sh', '-c', 'echo ready; exec sleep 100000'];

async function firstLine(child: ChildProcess): Promise<void> {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until(() => text.includes('\n') || child.exitCode !== null, 'a first line');
  assert.ok(text.includes('\n'), `it ended early: ${child.spawnargs.join(' ')}`);
}

function output(words: readonly string[]): string {
  const [command = '', ...args] = words;
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
  assert.equal(result.status, 0, `${words.join(' ')}: ${result.stderr}${result.stdout}`);
  return result.stdout;
}

function startTimeOf(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

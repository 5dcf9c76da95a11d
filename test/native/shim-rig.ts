// Drives the real native binary for the shim's tests: makes bundles of busybox, starts shims as root or as
// a user of the test, and speaks their socket. It must leave no process, user, mount or file behind.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addUser, makeRootfs, ociConfig, own, type Mode, type ShimOptions } from './shim-bundle.ts';

export type { Mode } from './shim-bundle.ts';

export type Json = { readonly [key: string]: unknown };

/** A frame of the attach stream: 1 is stdout, 2 stderr. */
export interface Frame {
  readonly stream: number;
  readonly text: string;
}

/** The binary under test: PINNACE_NATIVE, or the newest build of this checkout. */
export function nativeBinary(): string {
  const given = process.env['PINNACE_NATIVE'];
  if (given !== undefined) return given;
  const target = new URL('../../native/target/', import.meta.url).pathname;
  const found = (existsSync(target) ? readdirSync(target) : [])
    .map((name) => join(target, name, 'release/pinnace-native'))
    .concat(
      join(target, 'release/pinnace-native'),
      new URL('../../out/native/pinnace-native', import.meta.url).pathname,
    )
    .filter((path) => existsSync(path))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  assert.ok(found[0], 'no native binary: run `npm run build`, or set PINNACE_NATIVE');
  return found[0];
}

/** True while the process runs; a zombie does not. */
export function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return !/^[ZX]/u.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** Waits until the condition holds, at most `ms`. */
export async function until(condition: () => boolean, what: string, ms = 60_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    assert.ok(Date.now() < end, `not within ${String(ms)} ms: ${what}`);
    await sleep(5);
  }
}

/** Frames of a whole attach stream. */
export function frames(bytes: Buffer): Frame[] {
  const found: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at + 4);
    const text = bytes.subarray(at + 8, at + 8 + length);
    assert.equal(text.length, length, 'a frame is cut off');
    found.push({ stream: bytes[at] ?? 0, text: text.toString('utf8') });
    at += 8 + length;
  }
  return found;
}

/** The joined text of one stream. */
export function textOf(bytes: Buffer, stream: number): string {
  return frames(bytes)
    .filter((frame) => frame.stream === stream)
    .map((frame) => frame.text)
    .join('');
}

/** A connection after its answer line: the rest is its stream. */
export class Connection {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  #ended = false;

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true });
    this.socket.on('data', (data) => {
      this.#bytes = Buffer.concat([this.#bytes, data]);
    });
    this.socket.on('end', () => {
      this.#ended = true;
    });
    this.socket.on('error', () => {
      this.#ended = true;
    });
  }

  /** What came and was not taken yet. */
  get received(): Buffer {
    return this.#bytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next JSON line. */
  async line(ms = 10_000): Promise<Json> {
    await until(() => this.#bytes.includes(10) || this.#ended, 'an answer line', ms);
    const end = this.#bytes.indexOf(10);
    assert.ok(end >= 0, `the shim closed without an answer: ${this.#bytes.toString()}`);
    const line = this.#bytes.subarray(0, end).toString();
    this.#bytes = this.#bytes.subarray(end + 1);
    return JSON.parse(line) as Json;
  }

  /** Everything until the shim closes. */
  async rest(ms = 10_000): Promise<Buffer> {
    await until(() => this.#ended, 'the end of the stream', ms);
    this.socket.destroy();
    return this.#bytes;
  }
}

/** One container under its shim. */
export class Shim {
  readonly dir: string;
  readonly id: string;
  readonly pid: number;
  readonly startTime: number;

  constructor(dir: string, id: string, answer: Json) {
    this.dir = dir;
    this.id = id;
    this.pid = Number(answer['pid']);
    this.startTime = Number(answer['startTime']);
  }

  /** Kills the shim itself; its cgroup is left for the next container of that id to take over. */
  async murder(): Promise<void> {
    process.kill(this.shimPid, 'SIGKILL');
    await until(() => !runs(this.pid), 'the end of init');
    for (const path of cgroupsOf(this.id)) rmdirSync(path);
  }

  get exitFile(): string {
    return join(this.dir, 'exit.json');
  }

  get logFile(): string {
    return join(this.dir, 'log');
  }

  get record(): Json {
    return JSON.parse(readFileSync(join(this.dir, 'shim.json'), 'utf8')) as Json;
  }

  get shimPid(): number {
    return Number(this.record['shimPid']);
  }

  /** Sends one operation; the connection goes on. */
  open(operation: Json): Connection {
    const connection = new Connection(join(this.dir, 'shim.sock'));
    connection.socket.write(`${JSON.stringify(operation)}\n`);
    return connection;
  }

  /** Sends one operation and gives its answer. */
  async ask(operation: Json): Promise<Json> {
    const connection = this.open(operation);
    const answer = await connection.line();
    connection.socket.destroy();
    return answer;
  }

  async start(): Promise<void> {
    assert.deepEqual(await this.ask({ op: 'start' }), { ok: true });
  }

  async attach(
    streams: { stdin?: boolean; stdout?: boolean; stderr?: boolean } = {},
  ): Promise<Connection> {
    const wanted = { stdin: false, stdout: true, stderr: true, ...streams };
    const connection = this.open({ op: 'attach', ...wanted });
    assert.deepEqual(await connection.line(), { ok: true });
    return connection;
  }

  exec(id: string, args: readonly string[], more: Json = {}): Connection {
    const process = { args, cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } };
    const streams = { stdin: false, stdout: true, stderr: true, tty: false, detach: false };
    return this.open({ op: 'exec', id, process, ...streams, ...more });
  }

  /** The exit file, once it is there. */
  async exit(ms = 10_000): Promise<Json> {
    await until(() => existsSync(this.exitFile), 'the exit file', ms);
    return JSON.parse(readFileSync(this.exitFile, 'utf8')) as Json;
  }

  /** The log's entries, which must all be whole. */
  log(suffix = ''): { log: string; stream: string; time: string }[] {
    const text = readFileSync(this.logFile + suffix, 'utf8');
    assert.ok(text === '' || text.endsWith('\n'), 'the log ends in the middle of a line');
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as { log: string; stream: string; time: string });
  }
}

/** A place to make containers in, in one mode. Dispose it at the end: it checks for leaks. */
export class Rig {
  readonly root: string;
  readonly mode: Mode;
  readonly #binary: string;
  readonly #user: string;
  readonly #ids: { uid: number; gid: number };
  readonly #shims: Shim[] = [];
  #count = 0;

  constructor(mode: Mode) {
    assert.equal(process.getuid?.(), 0, 'these tests make users and cgroups: run them as root');
    this.mode = mode;
    this.root = mkdtempSync('/tmp/pnshim-');
    chmodSync(this.root, 0o755);
    this.#binary = join(this.root, 'pn');
    copyFileSync(nativeBinary(), this.#binary);
    this.#user = mode === 'system' ? 'root' : `pnt${String(process.pid)}`;
    this.#ids = mode === 'system' ? { uid: 0, gid: 0 } : addUser(this.#user, mode);
    mkdirSync(join(this.root, 'home'));
    chownSync(join(this.root, 'home'), this.#ids.uid, this.#ids.gid);
    makeRootfs(join(this.root, 'rootfs'));
    own(join(this.root, 'rootfs'), this.#ids);
  }

  get ids(): { uid: number; gid: number } {
    return this.#ids;
  }

  /** A command line as the mode's user, without name spaces. */
  asUser(args: readonly string[]): string[] {
    if (this.mode === 'system') return [...args];
    const { uid, gid } = this.#ids;
    const become = ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
    return [...become, 'env', `USER=${this.#user}`, ...args];
  }

  /** A command line inside the mode's name spaces. */
  entered(args: readonly string[]): string[] {
    const home = join(this.root, 'home');
    const roots = ['--data-root', join(home, 'data'), '--run-root', join(home, 'run')];
    return this.asUser([this.#binary, 'enter', ...roots, '--mode', this.mode, '--', ...args]);
  }

  /** The binary's command line inside the name spaces. */
  native(...args: readonly string[]): string[] {
    return this.entered([this.#binary, ...args]);
  }

  directory(): string {
    this.#count += 1;
    const dir = join(this.root, `c${String(this.#count)}`);
    mkdirSync(dir, { mode: 0o700 });
    chownSync(dir, this.#ids.uid, this.#ids.gid);
    return dir;
  }

  request(dir: string, options: ShimOptions): Record<string, unknown> {
    const id = `pnt-${this.root.slice(-6)}-${String(this.#count)}`;
    const config = ociConfig({ root: this.root, mode: this.mode, id }, options);
    options.edit?.(config);
    return {
      id,
      dir,
      config,
      tty: options.tty ?? false,
      openStdin: options.openStdin ?? false,
      stdinOnce: options.stdinOnce ?? false,
      size: options.size ?? null,
      log: options.log === undefined ? null : { path: join(dir, 'log'), ...options.log },
      exitFile: join(dir, 'exit.json'),
    };
  }

  /** Runs `shim` with a request; its status and output. */
  run(request: string): { status: number | null; stdout: string; stderr: string } {
    const [command, ...args] = this.native('shim');
    assert.ok(command);
    return spawnSync(command, args, { input: request, encoding: 'utf8', timeout: 120_000 });
  }

  create(options: ShimOptions): Shim {
    const dir = this.directory();
    const request = this.request(dir, options);
    const result = this.run(JSON.stringify(request));
    assert.equal(result.status, 0, result.stderr);
    const shim = new Shim(dir, String(request['id']), JSON.parse(result.stdout) as Json);
    this.#shims.push(shim);
    return shim;
  }

  async started(options: ShimOptions): Promise<Shim> {
    const shim = this.create(options);
    await shim.start();
    return shim;
  }

  /** Ends everything, then checks that nothing is left. */
  async dispose(): Promise<void> {
    const pids: number[] = [];
    for (const shim of this.#shims) {
      pids.push(shim.pid);
      if (existsSync(join(shim.dir, 'shim.json'))) pids.push(shim.shimPid);
      if (!runs(shim.pid)) continue;
      await shim.ask({ op: 'kill', signal: 9, all: true });
    }
    try {
      await until(() => pids.every((pid) => !runs(pid)), 'the end of all shims');
      const sockets = this.#shims.filter((shim) => existsSync(join(shim.dir, 'shim.sock')));
      const killed = sockets.filter((shim) => existsSync(shim.exitFile));
      assert.deepEqual(killed, [], 'a socket outlived its shim');
      const mounts = readFileSync('/proc/self/mounts', 'utf8');
      assert.ok(!mounts.includes(this.root), 'a mount is left on the host');
      assert.deepEqual(cgroupsOf(`pnt-${this.root.slice(-6)}-`), [], 'a cgroup is left');
    } finally {
      if (this.mode !== 'system') spawnSync('userdel', ['--force', this.#user]);
      rmSync(this.root, { recursive: true, force: true });
    }
  }
}

/** Directories of cgroups whose name holds the text. */
function cgroupsOf(text: string): string[] {
  const found = spawnSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', `*${text}*`]);
  return found.stdout.toString().split('\n').filter(Boolean);
}

/**
 * One RUN step: a container above the step's draft, its output streamed, its exit judged. Owns the container from
 * creation to the last trace of it in the run root; a step that fails or is cancelled leaves no process behind.
 */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StringDecoder } from 'node:string_decoder';
import type { Duplex } from 'node:stream';
import type { ResourceLimits } from '../../lib/api/containers.ts';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import { buildSpec, type OciMount, type SpecHost } from '../runtime/spec.ts';
import type { ExitRecord, Runtime, Shim } from '../runtime/types.ts';
import type { Draft } from '../storage/types.ts';
import type { RunAction } from './plan/graph.ts';
import { SCRIPT_DIR } from './plan/transfer.ts';
import type { StepNetwork } from './types.ts';

const SIGKILL = 9;
const END_PAUSE_MS = 10;
const END_LIMIT_MS = 3000;
/** What a step may send to the client; a program that prints without end must not fill memory. */
const OUTPUT_LIMIT = 32 * 1024 * 1024;
/** What the cache keeps of a step's output. */
const LOG_LIMIT = 64 * 1024;
/** Mount points that every container has. As the lowest layer they stand in for what the image lacks, so none is ever made in the image. */
const STUB_DIRS = ['dev', 'proc', 'sys', 'etc'];
const STUB_FILES = ['etc/hosts', 'etc/resolv.conf', 'etc/hostname'];

/** A folder of this machine, or a file system made for the step. */
export interface PreparedMount {
  readonly mount: OciMount;
  /** The mount is a file, so its stand-in is one. */
  readonly isFile: boolean;
}

export interface RunInput {
  readonly id: string;
  readonly draft: Draft;
  readonly mounts: readonly PreparedMount[];
  /** A folder of this step for the files that are shown to it. */
  readonly dir: string;
  readonly shimDir: string;
  readonly runtime: Runtime;
  readonly host: SpecHost;
  readonly limits: ResourceLimits;
  readonly shmSize: number;
  readonly extraHosts: readonly string[];
  readonly network: StepNetwork;
  readonly write: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The exit code of the command and the end of what it printed. */
export interface RunResult {
  readonly exit: ExitRecord;
  readonly log: string;
}

export async function runCommand(action: RunAction, input: RunInput): Promise<RunResult> {
  const config = await specOf(action, input);
  input.signal.throwIfAborted();
  const shim = await input.runtime.create({
    id: `build-${input.id}`,
    dir: input.shimDir,
    config,
    tty: false,
    openStdin: false,
    stdinOnce: false,
    size: null,
    log: null,
    exitFile: join(input.shimDir, 'exit.json'),
  });
  try {
    return await follow(shim, input);
  } catch (error) {
    await shim.kill(SIGKILL, { all: true }).catch(() => undefined);
    await shim.stopCreated().catch(() => undefined);
    await ended(input.runtime, input.shimDir);
    await input.runtime.clear(input.shimDir);
    throw error;
  }
}

/** Gives the shim time to take down the control group itself; one that hangs is cleared by force. */
async function ended(runtime: Runtime, dir: string): Promise<void> {
  for (let waited = 0; waited < END_LIMIT_MS; waited += END_PAUSE_MS) {
    if ((await runtime.find(dir)) === undefined) return;
    await sleep(END_PAUSE_MS);
  }
}

async function follow(shim: Shim, input: RunInput): Promise<RunResult> {
  const { signal } = input;
  const stop = (): void => void shim.kill(SIGKILL, { all: true }).catch(() => undefined);
  signal.addEventListener('abort', stop, { once: true });
  let stream: Duplex | undefined;
  try {
    stream = await shim.attach({ stdin: false, stdout: true, stderr: true });
    const log = pump(stream, input.write);
    log.catch(() => undefined);
    const exit = shim.wait(null);
    exit.catch(() => undefined);
    await input.network.connect(shim);
    signal.throwIfAborted();
    await shim.start();
    if (signal.aborted) stop();
    const [record, text] = await Promise.all([exit, log]);
    signal.throwIfAborted();
    await rm(input.shimDir, { recursive: true, force: true });
    return { exit: record, log: text };
  } finally {
    signal.removeEventListener('abort', stop);
    stream?.destroy();
  }
}

/** Reads stdcopy frames to the end; resolves to the end of the text. */
function pump(stream: Duplex, write: (text: string) => void): Promise<string> {
  const decoders = new Map([1, 2].map((channel) => [channel, new StringDecoder('utf8')]));
  let rest: Buffer = Buffer.alloc(0);
  let log = '';
  let sent = 0;
  const take = (channel: number, data: Buffer): void => {
    const text = decoders.get(channel)?.write(data) ?? '';
    if (text === '') return;
    log = (log + text).slice(-LOG_LIMIT);
    if (sent > OUTPUT_LIMIT) return;
    sent += text.length;
    write(text);
    if (sent > OUTPUT_LIMIT)
      write(`\n[output clipped: more than ${String(OUTPUT_LIMIT >> 20)} MiB]\n`);
  };
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (data.length >= 8) {
        const end = 8 + data.readUInt32BE(4);
        if (data.length < end) break;
        take(data[0] ?? 1, data.subarray(8, end));
        data = data.subarray(end);
      }
      rest = data;
    });
    stream.resume();
    stream.once('error', reject);
    stream.once('close', () => {
      resolve(log);
    });
    stream.once('end', () => {
      resolve(log);
    });
  });
}

async function specOf(action: RunAction, input: RunInput): Promise<ReturnType<typeof buildSpec>> {
  const mounts = [...(await ownFiles(action, input)), ...input.mounts];
  const stub = await makeStub(join(input.dir, 'stub'), mounts);
  const { draft, limits } = input;
  return buildSpec({
    host: input.host,
    process: {
      args: action.args,
      env: [...action.env, ...action.proxyEnv],
      cwd: action.cwd,
      user: action.user,
      tty: false,
    },
    root: { lowers: [...draft.lowers, stub], upper: draft.upper, work: draft.work },
    hostname: input.id,
    cgroupsPath: `pinnace/build-${input.id}`,
    mounts: mounts.map(({ mount }) => mount),
    namespaces: { network: input.network.namespace },
    limits,
    ...(limits.Ulimits === undefined || limits.Ulimits === null ? {} : { ulimits: limits.Ulimits }),
    shmSize: input.shmSize,
  });
}

/** hosts, resolv.conf and the script, read-only as BuildKit shows them. */
async function ownFiles(action: RunAction, input: RunInput): Promise<PreparedMount[]> {
  const { network } = input;
  await mkdir(input.dir, { recursive: true, mode: 0o700 });
  const hosts = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...input.extraHosts.map((entry) => hostLine(entry, network.gateway)),
    ...network.addresses.map((address) => `${address}\t${input.id}`),
    '',
  ].join('\n');
  const show = async (name: string, destination: string, text: string): Promise<PreparedMount> => {
    const source = join(input.dir, name);
    await writeShown(source, text, name === 'script' ? 0o755 : 0o644);
    const options = ['bind', 'ro', 'nosuid', 'nodev'];
    return { mount: { destination, type: 'bind', source, options }, isFile: true };
  };
  const files = [
    show('hosts', '/etc/hosts', hosts),
    show('resolv.conf', '/etc/resolv.conf', network.resolvConf),
  ];
  if (action.script !== undefined) {
    const { name, content } = action.script;
    files.push(show('script', `${SCRIPT_DIR}/${name}`, content));
  }
  return Promise.all(files);
}

/** `name:address` (also with `=`) as a line of hosts(5). */
function hostLine(entry: string, gateway: string | undefined): string {
  const at = entry.search(/[:=]/);
  const address = entry.slice(at + 1).replace(/^\[|\]$/g, '');
  const shown = address === 'host-gateway' ? (gateway ?? '127.0.0.1') : address;
  return at < 0 ? '' : `${shown}\t${entry.slice(0, at)}`;
}

/** The lowest layer: an empty stand-in for each mount point. Destinations are absolute and cleaned by the plan. */
async function makeStub(dir: string, mounts: readonly PreparedMount[]): Promise<string> {
  for (const name of STUB_DIRS) await makeShown(dir, name);
  for (const name of STUB_FILES) await writeShown(join(dir, name), '', 0o644);
  for (const { mount, isFile } of mounts) {
    const { destination } = mount;
    if (/^\/(?:dev|proc|sys)(?:\/|$)/.test(destination)) continue;
    await makeShown(dir, isFile ? dirname(destination) : destination);
    if (isFile) await writeShown(join(dir, destination), '', 0o644);
  }
  return dir;
}

/** Folders that users of a container see: their modes do not depend on the engine's umask. */
async function makeShown(root: string, path: string): Promise<void> {
  let place = root;
  for (const part of ['', ...path.split('/')]) {
    place = join(place, part);
    await mkdir(place, { recursive: true });
    await chmod(place, 0o755);
  }
}

/** A file that users of a container see. */
export async function writeShown(path: string, text: string, mode: number): Promise<void> {
  await writeFile(path, text);
  await chmod(path, mode);
}

/** The error of a command that ended badly, in Docker's words; null when it ended well. */
export function exitError(action: RunAction, exit: ExitRecord): EngineError | null {
  if (exit.exitCode === 0 && exit.error === null) return null;
  const reason = exit.oomKilled
    ? ' (out of memory)'
    : exit.error === null
      ? ''
      : ` (${exit.error})`;
  const command = action.args.join(' ');
  return new EngineError(
    'invalid',
    `The command '${command}' returned a non-zero code: ${String(exit.exitCode)}${reason}`,
  );
}

/** The error of a command that could not be started, in the same words; other errors stay as they are. */
export function startError(action: RunAction, error: unknown): unknown {
  if (!(error instanceof EngineError) || kindOf(error) === 'cancelled') return error;
  const code =
    error.errno === 'ENOENT'
      ? 127
      : error.errno === 'EACCES' || error.errno === 'ENOEXEC'
        ? 126
        : undefined;
  if (code === undefined) return error;
  const command = action.args.join(' ');
  return new EngineError(
    'invalid',
    `The command '${command}' returned a non-zero code: ${String(code)} (${messageOf(error)})`,
    { cause: error },
  );
}

/** Makes containers and speaks to their shims over unix sockets (docs/native.md, "shim"): one connection a request. It keeps no state of its own: what a shim is, its directory says. */

import { mkdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import { errorObject } from './native.ts';
import type { ExecRequest, ExitRecord, Mode, Native, Runtime, Shim, ShimRequest } from './types.ts';

/** No answer line of a shim is longer. */
const MAX_LINE = 4 << 20;
/** `sun_path` holds 108 bytes with the final zero. */
const MAX_SOCKET_PATH = 107;

/** The runtime on top of the native helper. */
export function createRuntime(parts: { native: Native; mode: Mode }): Runtime {
  return {
    mode: parts.mode,
    create: (request) => createShim(parts.native, request),
    find: findShim,
    clear: clearShim,
  };
}

async function createShim(native: Native, request: ShimRequest): Promise<Shim> {
  const path = socketPath(request.dir);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new EngineError(
      'invalid',
      `the run directory is too deep for unix sockets (${String(Buffer.byteLength(path))} bytes, at most ${String(MAX_SOCKET_PATH)}): choose a shorter --run-root`,
      { path },
    );
  }
  await mkdir(request.dir, { recursive: true, mode: 0o700 });
  try {
    const made = await native.call<{ pid: number; startTime: number }>(['shim'], request);
    return shimAt(request.dir, made);
  } catch (error) {
    await rm(request.dir, { recursive: true, force: true });
    throw error;
  }
}

interface ShimFile {
  readonly pid: number;
  readonly startTime: number;
  readonly shimPid: number;
  readonly shimStartTime: number;
}

async function findShim(dir: string): Promise<Shim | undefined> {
  const file = await readShimFile(dir);
  if (file === undefined) return undefined;
  if (!(await isAlive(file.shimPid, file.shimStartTime))) return undefined;
  const shim = shimAt(dir, file);
  try {
    await exchange(dir, { op: 'state' });
    return shim;
  } catch {
    return undefined;
  }
}

async function clearShim(dir: string): Promise<void> {
  const file = await readShimFile(dir);
  if (file !== undefined) {
    await killIf(file.shimPid, file.shimStartTime);
    await killIf(file.pid, file.startTime);
  }
  await rm(dir, { recursive: true, force: true });
}

async function killIf(pid: number, startTime: number): Promise<void> {
  if (!(await isAlive(pid, startTime))) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function readShimFile(dir: string): Promise<ShimFile | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(dir, 'shim.json'), 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const number = (name: string): number => {
      const member = (value as Record<string, unknown>)[name];
      return typeof member === 'number' ? member : 0;
    };
    return {
      pid: number('pid'),
      startTime: number('startTime'),
      shimPid: number('shimPid'),
      shimStartTime: number('shimStartTime'),
    };
  } catch {
    return undefined;
  }
}

/** True while the very process lives: the pid alone may have been given to another. Zombies count as dead. */
export async function isAlive(pid: number, startTime: number): Promise<boolean> {
  if (pid <= 0) return false;
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  const fields = parseStat(stat);
  return (
    fields !== undefined &&
    fields.startTime === startTime &&
    fields.state !== 'Z' &&
    fields.state !== 'X'
  );
}

/** State and start time (field 22, clock ticks) of a line of /proc/PID/stat (proc_pid_stat(5)). */
export function parseStat(stat: string): { state: string; startTime: number } | undefined {
  const end = stat.lastIndexOf(')');
  if (end < 0) return undefined;
  const fields = stat.slice(end + 2).split(' ');
  const state = fields[0];
  const start = fields[19];
  return state === undefined || start === undefined
    ? undefined
    : { state, startTime: Number(start) };
}

function shimAt(dir: string, made: { pid: number; startTime: number }): Shim {
  const plain = async (request: object): Promise<void> => {
    await exchange(dir, request);
  };
  return {
    pid: made.pid,
    startTime: made.startTime,
    start: () => plain({ op: 'start' }),
    attach: async (streams) => (await open(dir, { op: 'attach', ...streams })).socket,
    exec: (request) => exec(dir, request),
    wait: async (execId) =>
      (await exchange(dir, { op: 'wait', exec: execId })) as unknown as ExitRecord,
    resize: (execId, height, width) => plain({ op: 'resize', exec: execId, height, width }),
    kill: (signal, options) => plain({ op: 'kill', signal, all: options.all }),
    pause: () => plain({ op: 'pause' }),
    resume: () => plain({ op: 'resume' }),
    update: (resources) => plain({ op: 'update', resources }),
    stats: () => exchange(dir, { op: 'stats' }),
    stopCreated: () => plain({ op: 'stop-created' }),
  };
}

async function exec(
  dir: string,
  request: ExecRequest,
): Promise<{ pid: number; stream: Duplex | null }> {
  const { answer, socket } = await open(dir, { op: 'exec', ...request });
  const pid = typeof answer['pid'] === 'number' ? answer['pid'] : 0;
  if (!request.detach) return { pid, stream: socket };
  socket.destroy();
  return { pid, stream: null };
}

async function exchange(dir: string, request: object): Promise<Record<string, unknown>> {
  const { answer, socket } = await open(dir, request);
  socket.destroy();
  return answer;
}

/** Sends one line and reads one; what follows on the connection stays unread in the socket. */
function open(
  dir: string,
  request: object,
): Promise<{ answer: Record<string, unknown>; socket: Socket }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath(dir), allowHalfOpen: true });
    const chunks: Buffer[] = [];
    let size = 0;
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    const gone = (cause?: unknown) =>
      fail(
        new EngineError('unavailable', "the container's supervisor does not answer", {
          cause,
          path: dir,
        }),
      );
    const onEnd = () => gone();
    const onData = (chunk: Buffer) => {
      const at = chunk.indexOf(10);
      if (at < 0) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > MAX_LINE)
          fail(new EngineError('internal', "the supervisor's answer is too long", { path: dir }));
        return;
      }
      chunks.push(chunk.subarray(0, at));
      socket.pause();
      socket.off('data', onData).off('end', onEnd).off('error', gone).off('close', onEnd);
      socket.on('error', () => undefined);
      if (at + 1 < chunk.length) socket.unshift(chunk.subarray(at + 1));
      try {
        resolve({ answer: readAnswer(Buffer.concat(chunks).toString('utf8')), socket });
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    };
    socket.on('data', onData).on('end', onEnd).on('error', gone).on('close', onEnd);
    socket.write(`${JSON.stringify(request)}\n`);
  });
}

function readAnswer(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  const failure = errorObject(value);
  if (failure !== undefined) throw failure;
  if (typeof value !== 'object' || value === null)
    throw new EngineError('internal', `unexpected answer: ${line}`);
  return value as Record<string, unknown>;
}

function socketPath(dir: string): string {
  return join(dir, 'shim.sock');
}

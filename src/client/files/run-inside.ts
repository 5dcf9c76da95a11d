/** Runs a small program inside a container as its root and gives what it said, within limits of time and size. */
import { type Duplex, PassThrough, type Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import { type ContainersApi, withSignal } from '../api/containers.ts';
import { demultiplex } from '../api/streams.ts';
import type { Signal } from './tree.ts';

export interface InsideAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** 100,000 names of some length. */
const OUTPUT_LIMIT = 64 * 1024 * 1024;
const TIME_LIMIT = 60_000;

/** Throws EngineError: conflict when the container does not run, and what the engine says. */
export async function runInside(
  containers: ContainersApi,
  id: string,
  words: readonly string[],
  options: Signal = {},
): Promise<InsideAnswer> {
  const { Id: exec } = await containers.execCreate(id, {
    AttachStdout: true,
    AttachStderr: true,
    User: '0',
    WorkingDir: '/',
    Cmd: [...words],
    Env: ['LC_ALL=C'],
  });
  const { socket } = await containers.execStart(exec, {
    tty: false,
    ...withSignal(options.signal),
  });
  socket.end();
  const output = await collectOutput(socket, options.signal);
  const { ExitCode } = await containers.execInspect(exec);
  return { status: ExitCode ?? 128, ...output };
}

/** What a program says on its multiplexed stream until it ends. Throws EngineError: cancelled, unavailable past the limits. */
export async function collectOutput(
  socket: Duplex,
  signal: AbortSignal | undefined,
): Promise<Pick<InsideAnswer, 'stdout' | 'stderr'>> {
  const limit = AbortSignal.timeout(TIME_LIMIT);
  const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  const stop = (): void => void socket.destroy();
  either.addEventListener('abort', stop, { once: true });
  if (either.aborted) stop();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  try {
    const read = Promise.all([text(stdout), text(stderr)]);
    read.catch(stop);
    await demultiplex(socket, { stdout, stderr }).finally(() => {
      stdout.end();
      stderr.end();
    });
    const [out, err] = await read;
    return { stdout: out, stderr: err };
  } catch (cause) {
    if (signal?.aborted === true)
      throw new EngineError('cancelled', 'the call was cancelled', { cause });
    if (limit.aborted)
      throw new EngineError('unavailable', 'a program in the container took more than a minute', {
        cause,
      });
    throw cause;
  } finally {
    either.removeEventListener('abort', stop);
    socket.destroy();
  }
}

async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > OUTPUT_LIMIT)
      throw new EngineError('unavailable', 'a program in the container says more than 64 MB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

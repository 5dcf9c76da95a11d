/** Runs a small program inside a container as its root and gives what it said, within limits of time and size. */
import { PassThrough, type Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import type { ContainersApi } from '../api/containers.ts';
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
  const limit = AbortSignal.timeout(TIME_LIMIT);
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
  const { socket } = await containers.execStart(exec, { tty: false, signal });
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  try {
    const read = Promise.all([text(stdout), text(stderr)]);
    read.catch(stop);
    socket.end();
    await demultiplex(socket, { stdout, stderr }).finally(() => {
      stdout.end();
      stderr.end();
    });
    const [out, err] = await read;
    const { ExitCode } = await containers.execInspect(exec);
    return { status: ExitCode ?? 128, stdout: out, stderr: err };
  } catch (cause) {
    if (options.signal?.aborted === true)
      throw new EngineError('cancelled', 'the call was cancelled', { cause });
    throw cause;
  } finally {
    signal.removeEventListener('abort', stop);
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

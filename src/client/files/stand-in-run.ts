/** Runs a small program of ours on the files of a tree, in a container of its own that is gone afterwards; no program of an image runs. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import type { StandIns } from './stand-ins.ts';
import { collectOutput, type InsideAnswer } from './run-inside.ts';
import type { Signal, TreeName } from './tree.ts';

/** Busybox is itself only under a name that begins so. */
export const PROGRAM = '/busybox-pinnace';

export interface StandInRun {
  readonly client: Client;
  readonly standIns: StandIns;
  readonly name: TreeName;
  /** The path of a static busybox on this machine. */
  readonly program: string;
}

/** `words` are those of an applet: `['rm', '-rf', …]`. Throws EngineError: not-implemented where the engine's machine cannot run our program. */
export async function runOnTree(
  { client, standIns, name, program }: StandInRun,
  words: readonly string[],
  { signal }: Signal = {},
): Promise<InsideAnswer> {
  const bytes = await readFile(program);
  const container = await standIns.create(name, {
    Image: '',
    Entrypoint: [PROGRAM],
    Cmd: [...words],
    Env: ['LC_ALL=C'],
    AttachStdout: true,
    AttachStderr: true,
    // An editor that is killed meanwhile leaves nothing.
    HostConfig: { AutoRemove: true },
  });
  try {
    signal?.throwIfAborted();
    const { archiveOf } = await import('./tar.ts');
    const header = { name: PROGRAM.slice(1), mode: 0o755, uid: 0, gid: 0, size: bytes.length };
    const tar = archiveOf(header, Readable.from([bytes], { objectMode: false }));
    await client.containers.archivePut(container, '/', tar);
    const { socket } = await client.containers.attach(container, { stdout: true, stderr: true });
    const ended = await client.containers.wait(container, 'next-exit');
    const closed = once(socket, 'close');
    closed.catch(() => undefined);
    const output = collectOutput(socket, signal);
    output.catch(() => undefined);
    await client.containers.start(container).catch((cause: unknown) => {
      socket.destroy();
      throw new EngineError(
        'not-implemented',
        `the engine cannot run the program that Pinnace brings: ${messageOf(cause)}`,
        { cause },
      );
    });
    const text = await output;
    const { StatusCode } = await ended.result;
    return { status: StatusCode, ...text };
  } catch (cause) {
    if (signal?.aborted === true && kindOf(cause) !== 'cancelled')
      throw new EngineError('cancelled', 'the call was cancelled', { cause });
    throw cause;
  } finally {
    await standIns.remove(container, name.kind);
  }
}

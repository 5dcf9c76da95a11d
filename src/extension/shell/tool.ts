/** The shell that is brought along for containers without one: on engines other than ours a static busybox, copied in after asking and taken out again. */
import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Client } from '../../client/api/client.ts';
import { archiveOf } from '../../client/files/tar.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';

/** Where it may lie; the first that the engine can write to. */
const PLACES = ['/tmp', '/dev/shm', '/'] as const;

export interface BroughtShell {
  /** The program inside the container. */
  readonly path: string;
  remove(): Promise<void>;
}

/** Copies the program at `source` into the container. Throws `forbidden` where no place takes it, as with a read-only root. */
export async function bringShell(
  client: Client,
  container: string,
  source: string,
): Promise<BroughtShell> {
  await stat(source).catch((cause: unknown) => {
    throw new EngineError('not-found', `the shell that Pinnace brings is not there: ${source}`, {
      cause,
    });
  });
  const name = `.pinnace-${randomBytes(4).toString('hex')}`;
  const bytes = await readFile(source);
  let last: unknown;
  for (const place of PLACES) {
    try {
      await put(client, container, { place, name, bytes });
      const path = `${place === '/' ? '' : place}/${name}`;
      return { path, remove: () => removeShell(client, container, path) };
    } catch (error) {
      if (kindOf(error) === 'cancelled' || kindOf(error) === 'unavailable') throw error;
      last = error;
    }
  }
  throw new EngineError(
    'forbidden',
    `no folder of the container takes a shell: ${last instanceof Error ? last.message : String(last)}`,
    { cause: last },
  );
}

async function put(
  client: Client,
  container: string,
  file: { readonly place: string; readonly name: string; readonly bytes: Buffer },
): Promise<void> {
  const header = { name: file.name, mode: 0o755, uid: 0, gid: 0, size: file.bytes.length };
  const tar = archiveOf(header, Readable.from([file.bytes], { objectMode: false }));
  await client.containers.archivePut(container, file.place, tar);
}

/** By itself: the container may have no `rm`. A container that is gone has taken it along. */
async function removeShell(client: Client, container: string, path: string): Promise<void> {
  try {
    const { Id } = await client.containers.execCreate(container, {
      Cmd: [path, 'rm', '-f', path],
      User: '0',
      AttachStdout: true,
    });
    const { socket } = await client.containers.execStart(Id, { tty: false });
    await finished(socket.resume()).catch(() => undefined);
  } catch (error) {
    const kind = kindOf(error);
    if (kind !== 'not-found' && kind !== 'conflict') throw error;
  }
}

/** The shell that is brought along for containers without one: on engines other than ours a static busybox, copied in after asking and taken out again. */
import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Client } from '../../client/api/client.ts';
import { archiveOf } from '../../client/files/tar.ts';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';

export interface BroughtShell {
  /** The program inside the container. */
  readonly path: string;
  remove(): Promise<void>;
}

export interface BringOptions {
  /** The program on this machine. */
  readonly source: string;
  /** Its name in the container's root folder; default: one that nobody has. */
  readonly name?: string;
}

/** Copies the program at `source` into the container. Throws `forbidden` where it does not take it, as with a read-only root. */
export async function bringShell(
  client: Client,
  container: string,
  { source, name = freeName() }: BringOptions,
): Promise<BroughtShell> {
  await stat(source).catch((cause: unknown) => {
    throw new EngineError('not-found', `the shell that Pinnace brings is not there: ${source}`, {
      cause,
    });
  });
  const bytes = await readFile(source);
  // The root folder: anywhere else a mount may lie that the engine's copy goes beneath.
  try {
    await put(client, container, { place: '/', name, bytes });
  } catch (cause) {
    if (kindOf(cause) === 'cancelled' || kindOf(cause) === 'unavailable') throw cause;
    throw new EngineError('forbidden', `the container takes no shell: ${messageOf(cause)}`, {
      cause,
    });
  }
  const path = `/${name}`;
  return { path, remove: () => removeShell(client, container, path) };
}

/** Busybox is itself only under a name that begins so. */
function freeName(): string {
  return `busybox-pinnace-${randomBytes(4).toString('hex')}`;
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

/** `cp`: files between a container and this machine, as docker's rules have it. */

import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, posix, resolve } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { create, extract, type ReadEntry } from 'tar';
import type { Client } from '../../client/api/client.ts';
import type { PathStat } from '../../lib/api/containers.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Context, Register } from '../context.ts';

/** Go's os.ModeDir. */
const DIRECTORY = 2 ** 31;

interface CopyFlags {
  archive?: boolean;
  quiet?: boolean;
}

export const cp: Register = (program, context) => {
  program
    .command('cp')
    .description('copy files between a container and this machine')
    .argument('<source>', 'CONTAINER:PATH, PATH, or - for a tar on standard input')
    .argument('<target>', 'PATH, CONTAINER:PATH, or - for a tar on standard output')
    .option('-a, --archive', 'keep owners')
    .option('-q, --quiet', 'no message')
    .action(async (source: string, target: string, flags: CopyFlags) => {
      const from = place(source);
      const to = place(target);
      const client = await context.engine();
      if (from !== undefined && to === undefined) await copyOut(client, from, target, context);
      else if (from === undefined && to !== undefined)
        await copyIn(client, source, to, flags, context);
      else if (from === undefined)
        throw new EngineError('invalid', 'cp: one of source and target must be CONTAINER:PATH');
      else throw new EngineError('invalid', 'cp: copying between containers is not supported');
    });
};

interface Place {
  readonly container: string;
  readonly path: string;
}

function place(text: string): Place | undefined {
  const colon = text.indexOf(':');
  if (colon < 1 || text.startsWith('/') || text.startsWith('.')) return undefined;
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

function isDirectory(stat: PathStat | undefined): boolean {
  return stat !== undefined && stat.mode >= DIRECTORY;
}

/** A trailing `/.` copies a directory's contents. */
const onlyContents = (path: string): boolean => path === '.' || path.endsWith('/.');

async function copyOut(
  client: Client,
  from: Place,
  target: string,
  context: Context,
): Promise<void> {
  const { stat, tar } = await client.containers.archiveGet(from.container, from.path, {
    signal: context.signal,
  });
  if (target === '-') {
    await pipeline(tar, context.stdout, { end: false });
    return;
  }
  const local = resolve(target);
  const targetIsDirectory = existsSync(local) && statSync(local).isDirectory();
  if (!targetIsDirectory && (target.endsWith('/') || !existsSync(dirname(local)))) {
    throw new EngineError(
      'not-found',
      `cp: directory ${target.endsWith('/') ? local : dirname(local)} does not exist`,
    );
  }
  if (isDirectory(stat) && existsSync(local) && !targetIsDirectory)
    throw new EngineError('invalid', `cp: cannot copy a directory to the file ${local}`);
  const into = targetIsDirectory ? local : dirname(local);
  const name = onlyContents(from.path)
    ? targetIsDirectory
      ? ''
      : basename(local)
    : targetIsDirectory
      ? stat.name
      : basename(local);
  if (isDirectory(stat) && !targetIsDirectory) await mkdir(local, { recursive: true });
  await pipeline(
    tar,
    extract({
      cwd: into,
      preservePaths: false,
      onReadEntry: (entry) => rename(entry, stat.name, name),
    }),
  );
}

/** The archive's first name becomes the wanted one. */
function rename(entry: ReadEntry, from: string, to: string): void {
  entry.path = renamed(entry.path, from, to);
  if (entry.type === 'Link' && entry.linkpath !== undefined)
    entry.linkpath = renamed(entry.linkpath, from, to);
}

function renamed(path: string, from: string, to: string): string {
  if (path !== from && path !== `${from}/` && !path.startsWith(`${from}/`)) return path;
  const rest = path.slice(from.length).replace(/^\/+/, '');
  return posix.join(to === '' ? '.' : to, rest === '' ? '.' : rest);
}

async function copyIn(
  client: Client,
  source: string,
  to: Place,
  flags: CopyFlags,
  context: Context,
): Promise<void> {
  const options = {
    noOverwriteDirNonDir: true,
    copyUidGid: flags.archive === true,
    signal: context.signal,
  };
  if (source === '-') {
    await client.containers.archivePut(to.container, to.path, context.stdin, options);
    return;
  }
  const local = resolve(source);
  if (!existsSync(local)) throw new EngineError('not-found', `cp: ${local} does not exist`);
  const inside = await client.containers
    .archiveStat(to.container, to.path)
    .catch((error: unknown) => {
      if (error instanceof EngineError && error.kind === 'not-found') return undefined;
      throw error;
    });
  const sourceIsDirectory = statSync(local).isDirectory();
  if (sourceIsDirectory && inside !== undefined && !isDirectory(inside))
    throw new EngineError('invalid', `cp: cannot copy a directory to the file ${to.path}`);
  if (inside === undefined && to.path.endsWith('/') && !sourceIsDirectory)
    throw new EngineError(
      'not-found',
      `cp: directory ${to.path} does not exist in container ${to.container}`,
    );
  const name = isDirectory(inside)
    ? onlyContents(source)
      ? '.'
      : basename(local)
    : posix.basename(to.path);
  const folder = isDirectory(inside) ? to.path : posix.dirname(to.path);
  await client.containers.archivePut(to.container, folder, pack(local, name), options);
}

/** A tar of a file or folder under another name. */
function pack(local: string, name: string): Readable {
  const base = basename(local);
  const tar = create(
    {
      cwd: dirname(local),
      portable: false,
      onWriteEntry: (entry) => void (entry.path = renamed(entry.path, base, name)),
    },
    [base],
  );
  const out = new PassThrough();
  tar.on('error', (error: unknown) =>
    out.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  tar.pipe(out);
  return out;
}

/** Finds the Dockerfiles that a command line names, files as they are given, folders searched; and reads them. It writes nothing, and waits for nobody who may never write. */

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { EngineError, messageOf } from '../../lib/errors.ts';

/** Larger files are no Dockerfiles. */
const SIZE_LIMIT = 32 * 1024 * 1024;

const SKIPPED = new Set(['.git', '.hg', '.svn', 'node_modules', '.cache', '.venv']);

/** True for the names that Dockerfiles have: `Dockerfile`, `Containerfile`, `Dockerfile.*`, `*.Dockerfile`. */
export function isDockerfileName(name: string): boolean {
  if (/\.(dockerignore|containerignore|md|swp|bak|orig)$|~$/i.test(name)) return false;
  return /^(Dockerfile|Containerfile)(\..+)?$|^(dockerfile|containerfile)$|\.([Dd]ocker|[Cc]ontainer)file$/.test(
    name,
  );
}

export interface Found {
  readonly paths: readonly string[];
  /** What does not exist and folders that could not be searched, as lines for people. */
  readonly failures: readonly string[];
}

/**
 * The paths of Dockerfiles: a file is taken whatever its name, a folder is searched without following links. In the
 * order of the arguments, a folder's sorted; each path once.
 */
export function findDockerfiles(paths: readonly string[]): Found {
  const found = new Set<string>();
  const failures: string[] = [];
  for (const path of paths) {
    try {
      if (statSync(path).isDirectory()) search(path, { found, failures });
      else found.add(path);
    } catch (cause) {
      failures.push(messageOf(unreadable(path, cause)));
    }
  }
  return { paths: [...found], failures };
}

function search(
  folder: string,
  { found, failures }: { readonly found: Set<string>; readonly failures: string[] },
): void {
  const pending = [folder];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const folders: string[] = [];
    let entries: readonly Dirent[] = [];
    try {
      entries = readdirSync(at, { withFileTypes: true });
    } catch (cause) {
      failures.push(messageOf(unreadable(at, cause)));
    }
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(at, entry.name);
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) folders.push(path);
      else if (entry.isFile() && isDockerfileName(entry.name)) found.add(path);
    }
    pending.push(...folders.reverse());
  }
}

/** What the shell's `<(…)` and standard input are called: pipes that somebody has opened already. */
const OPEN_PIPE = /^\/dev\/(stdin|fd\/\d+)$|^\/proc\/(self|\d+)\/fd\/\d+$/;

/**
 * The bytes of a file. Throws not-found; forbidden; invalid for what is too big or holds zero bytes, and for pipes and
 * devices, which may never end.
 */
export function readDockerfile(path: string): Buffer {
  const isPipe = OPEN_PIPE.test(path);
  let fd: number | undefined;
  try {
    // A pipe that nobody writes to would keep the opening waiting, and with it the whole thread.
    fd = openSync(path, constants.O_RDONLY | (isPipe ? 0 : constants.O_NONBLOCK));
    const stats = fstatSync(fd);
    if (!stats.isFile() && !(isPipe && stats.isFIFO())) {
      const what = stats.isDirectory() ? 'a folder' : 'no file but a pipe or a device';
      throw invalid(path, `is ${what}; pipe its text to pinnace with - or --stdin`);
    }
    return checked(path, stats.size > SIZE_LIMIT ? undefined : readUpTo(fd, stats.size));
  } catch (cause) {
    throw cause instanceof EngineError ? cause : unreadable(path, cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The bytes of a stream. Throws invalid as `readDockerfile` does. */
export async function readStream(stream: AsyncIterable<unknown>, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array | string);
    size += bytes.length;
    if (size > SIZE_LIMIT) return checked(name, undefined);
    chunks.push(bytes);
  }
  return checked(name, Buffer.concat(chunks));
}

/** undefined: there is more than a Dockerfile has. The size is what is expected, not what there is. */
function readUpTo(fd: number, expected: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  let size = 0;
  while (size <= SIZE_LIMIT) {
    const chunk = Buffer.allocUnsafe(Math.max(expected - size, 0) + 1024);
    const count = readSync(fd, chunk);
    if (count === 0) return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    size += count;
  }
  return undefined;
}

function checked(path: string, bytes: Buffer | undefined): Buffer {
  if (bytes === undefined)
    throw invalid(
      path,
      `has more than ${String(SIZE_LIMIT / 1024 / 1024)} MiB: too big to be a Dockerfile`,
    );
  if (bytes.includes(0)) throw invalid(path, 'holds zero bytes: it is no text, so no Dockerfile');
  return bytes;
}

function invalid(path: string, message: string): EngineError {
  return new EngineError('invalid', `${path} ${message}`, { path });
}

function unreadable(path: string, cause: unknown): EngineError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new EngineError('not-found', `${path} does not exist`, { path });
  const kind = code === 'EACCES' || code === 'EPERM' ? 'forbidden' : 'internal';
  return new EngineError(kind, `${path} cannot be read: ${messageOf(cause)}`, { path, cause });
}

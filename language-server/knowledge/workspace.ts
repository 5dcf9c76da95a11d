/**
 * Finds the Dockerfiles of the workspace's folders on disk, bounded in number, depth and size. Links are not followed, and
 * what cannot be read is passed over.
 */
import { constants, type Dir, type Dirent } from 'node:fs';
import { type FileHandle, open, opendir, readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDockerfileName } from '../../src/client/lint/files.ts';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import type { Dockerfile } from '../../src/lib/dockerfile/syntax.ts';
import { pathOf } from './paths.ts';

export interface FoundFile {
  readonly uri: string;
  readonly file: Dockerfile;
}

const FOLDERS_LIMIT = 20_000;
const FILES_LIMIT = 2000;
const DEPTH_LIMIT = 12;
const SIZE_LIMIT = 1024 * 1024;
const SKIPPED = new Set(['node_modules', '.git', '.hg', '.svn', '.cache', 'vendor', 'target']);
/** Bytes of a folder with some thousands of entries: it is read in batches, so that it holds up nothing that is asked meanwhile. */
const LARGE_FOLDER = 256 * 1024;
const BATCH = 512;

export interface Search {
  /** Ends the search. */
  readonly isStopped: () => boolean;
  /** More files than this are not looked for. */
  readonly limit?: number;
}

/** The Dockerfiles below the folders, parsed, one after the other. */
export async function* findDockerfiles(
  folders: readonly string[],
  isStopped: () => boolean,
): AsyncGenerator<FoundFile, void, undefined> {
  for await (const path of dockerfilesBelow(folders, { isStopped })) {
    const text = await readDockerfile(path);
    if (text !== undefined) yield { uri: pathToFileURL(path).href, file: parseDockerfile(text) };
  }
}

/** The paths of the Dockerfiles below the folders (addresses), each once though folders lie in each other. */
export async function* dockerfilesBelow(
  folders: readonly string[],
  { isStopped, limit = FILES_LIMIT }: Search,
): AsyncGenerator<string, void, undefined> {
  let fileCount = 0;
  const waiting = folders.flatMap((uri) => {
    const path = pathOf(uri);
    return path === undefined ? [] : [{ path: join(path, '.'), depth: 0 }];
  });
  const seen = new Set<string>();
  for (const { path, depth } of waiting) {
    if (seen.has(path)) continue;
    seen.add(path);
    if (isStopped() || seen.size > FOLDERS_LIMIT) return;
    for await (const entries of entriesOf(path)) {
      if (isStopped()) return;
      for (const entry of entries) {
        const { name } = entry;
        if (isEntered(entry, depth)) waiting.push({ path: join(path, name), depth: depth + 1 });
        if (!isDockerfileName(name) || !entry.isFile()) continue;
        if (isStopped() || ++fileCount > limit) return;
        yield join(path, name);
      }
    }
  }
}

function isEntered(entry: Dirent, depth: number): boolean {
  return entry.isDirectory() && depth < DEPTH_LIMIT && !SKIPPED.has(entry.name);
}

/** True for the path of a Dockerfile that the search comes to, were it there. */
export function isSearched(path: string, folders: readonly string[]): boolean {
  return folders.some((uri) => {
    const folder = pathOf(uri);
    const way = folder === undefined ? '' : relative(folder, path);
    const [name = '', ...above] = way.split(sep).reverse();
    if (name === '' || isAbsolute(way) || !isDockerfileName(name)) return false;
    return above.length <= DEPTH_LIMIT && !above.some((each) => each === '..' || SKIPPED.has(each));
  });
}

/** What a folder holds, in lists; nothing when it is gone or cannot be read. */
async function* entriesOf(path: string): AsyncGenerator<readonly Dirent[], void, undefined> {
  try {
    const { size } = await stat(path);
    if (size <= LARGE_FOLDER) yield await readdir(path, { withFileTypes: true });
    else yield* batchesOf(await opendir(path, { bufferSize: BATCH }));
  } catch {
    return; // Gone while it was read, or closed to us.
  }
}

async function* batchesOf(folder: Dir): AsyncGenerator<readonly Dirent[], void, undefined> {
  let batch: Dirent[] = [];
  for await (const entry of folder) {
    batch.push(entry);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

/** The text of a file without its byte order mark; undefined for what is gone, not to be read, no file, or too large. */
export async function readDockerfile(path: string): Promise<string | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let handle: FileHandle | undefined;
  try {
    // What became a pipe or a link since it was found is neither waited for nor followed.
    handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const facts = await handle.stat();
    if (!facts.isFile() || facts.size > SIZE_LIMIT) return undefined;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(facts.size), 0, facts.size, 0);
    const text = buffer.toString('utf8', 0, bytesRead);
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

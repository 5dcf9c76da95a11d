/**
 * Finds the Dockerfiles of the workspace's folders on disk, bounded in number, depth and size. Links are not followed, and
 * what cannot be read is passed over.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, opendir } from 'node:fs/promises';
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
/** Entries that are read from a folder at once: one with many does not hold up what is asked meanwhile. */
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
    for await (const { name, isFolder } of entriesOf(path)) {
      if (isStopped()) return;
      const below = join(path, name);
      if (isFolder) {
        if (depth < DEPTH_LIMIT && !SKIPPED.has(name))
          waiting.push({ path: below, depth: depth + 1 });
      } else if (isDockerfileName(name)) {
        if (++fileCount > limit) return;
        yield below;
      }
    }
  }
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

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** The files and folders in a folder; none of one that is gone or cannot be read. */
async function* entriesOf(path: string): AsyncGenerator<Entry, void, undefined> {
  const folder = await opendir(path, { bufferSize: BATCH }).catch(() => undefined);
  if (folder === undefined) return;
  try {
    for await (const entry of folder) {
      const isFolder = entry.isDirectory();
      if (isFolder || entry.isFile()) yield { name: entry.name, isFolder };
    }
  } catch {
    return; // Gone while it was read.
  }
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

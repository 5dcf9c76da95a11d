/**
 * Finds the Dockerfiles of the workspace's folders on disk, bounded in number, depth and size. Links are not followed.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isDockerfileName } from '../../src/client/lint/files.ts';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import type { Dockerfile } from '../../src/lib/dockerfile/syntax.ts';

export interface FoundFile {
  readonly uri: string;
  readonly file: Dockerfile;
}

const FOLDERS_LIMIT = 20_000;
const FILES_LIMIT = 2000;
const DEPTH_LIMIT = 12;
const SIZE_LIMIT = 1024 * 1024;
const SKIPPED = new Set(['node_modules', '.git', '.hg', '.svn', '.cache', 'vendor', 'target']);

/** The Dockerfiles below the folders, parsed, one after the other. `isStopped` ends the search. */
export async function* findDockerfiles(
  folders: readonly string[],
  isStopped: () => boolean,
): AsyncGenerator<FoundFile, void, undefined> {
  let folderCount = 0;
  let fileCount = 0;
  const waiting = folders.flatMap((uri) => pathOf(uri)).map((path) => ({ path, depth: 0 }));
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (isStopped() || ++folderCount > FOLDERS_LIMIT || fileCount > FILES_LIMIT) return;
    const { path, depth } = next;
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const below = join(path, entry.name);
      if (entry.isDirectory()) {
        if (depth < DEPTH_LIMIT && !SKIPPED.has(entry.name))
          waiting.push({ path: below, depth: depth + 1 });
      } else if (entry.isFile() && isDockerfileName(entry.name)) {
        const file = await parseFile(below);
        fileCount += 1;
        if (file !== undefined) yield { uri: pathToFileURL(below).href, file };
      }
    }
  }
}

async function parseFile(path: string): Promise<Dockerfile | undefined> {
  try {
    const { size } = await stat(path);
    return size > SIZE_LIMIT ? undefined : parseDockerfile(await readFile(path, 'utf8'));
  } catch {
    return undefined; // Gone in between, or not to be read.
  }
}

function pathOf(uri: string): string[] {
  if (!uri.startsWith('file:')) return [];
  try {
    return [fileURLToPath(uri)];
  } catch {
    return []; // An address with a host.
  }
}

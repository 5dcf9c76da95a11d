/** Finds the Dockerfiles that a command line names: files as they are given, folders searched. Reads them; writes nothing. */

import type { Dirent } from 'node:fs';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../lib/errors.ts';

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

/**
 * The paths of Dockerfiles: a file is taken whatever its name, a folder is searched without following links. In the
 * order of the arguments, a folder's sorted; each path once. Throws not-found for what does not exist.
 */
export function findDockerfiles(paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) {
      throw new EngineError(
        'not-found',
        `${path} does not exist; give a Dockerfile, a folder or -`,
        { path },
      );
    }
    if (stats.isDirectory()) search(path, found);
    else found.add(path);
  }
  return [...found];
}

function search(folder: string, found: Set<string>): void {
  const pending = [folder];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const folders: string[] = [];
    for (const entry of entriesOf(at)) {
      const path = join(at, entry.name);
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) folders.push(path);
      else if (entry.isFile() && isDockerfileName(entry.name)) found.add(path);
    }
    pending.push(...folders.reverse());
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw new EngineError('internal', `cannot read the folder ${folder}`, { path: folder, cause });
  }
}

/** The text of a file. Throws not-found, or invalid for what is too big to be a Dockerfile. */
export function readDockerfile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new EngineError('not-found', `${path} does not exist`, { path });
  if (stats.size > SIZE_LIMIT) {
    throw new EngineError(
      'invalid',
      `${path} has ${String(stats.size)} bytes: too big to be a Dockerfile`,
      { path },
    );
  }
  return readFileSync(path, 'utf8');
}

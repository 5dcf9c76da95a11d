/**
 * The build context of a document on disk: its folder, or the one that a devcontainer.json or a compose file names. It reads
 * names and ignore files only, never leaves the context, and never follows a link out of it.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildPlace } from '../../src/client/build/place.ts';
import { type Dockerignore, parseDockerignore } from '../../src/lib/dockerfile/dockerignore.ts';
import type { ContextEntry, ContextFiles } from '../features/completion/paths.ts';
import { pathOf } from './paths.ts';

/** Longer files are no ignore files and no settings. */
const FILE_LIMIT = 1024 * 1024;
const ENTRY_LIMIT = 20_000;

export class BuildContext implements ContextFiles {
  private readonly dockerfile: string;
  private root: string | undefined;

  /** `path`: of the Dockerfile. */
  constructor(path: string) {
    this.dockerfile = path;
  }

  async list(directory: string): Promise<readonly ContextEntry[]> {
    const path = await this.inside(directory);
    if (path === undefined) return [];
    try {
      const entries = await readdir(path, { withFileTypes: true });
      return entries.slice(0, ENTRY_LIMIT).map((entry) => ({
        name: entry.name,
        isDirectory: entry.isDirectory(),
      }));
    } catch {
      return []; // Gone, or not to be read: nothing to offer.
    }
  }

  async ignored(): Promise<Dockerignore | undefined> {
    const root = await this.folder();
    for (const path of [`${this.dockerfile}.dockerignore`, join(root, '.dockerignore')]) {
      const text = await readSmall(path);
      if (text !== undefined) return parseDockerignore(text);
    }
    return undefined;
  }

  /** The file's address when the context has it. */
  find(path: string, root: string): string | undefined {
    const found = resolve(root, `.${sep}${path}`);
    if (!isBelow(root, found)) return undefined;
    const facts = statSync(found, { throwIfNoEntry: false });
    return facts?.isFile() === true ? pathToFileURL(found).href : undefined;
  }

  /** The context's folder. */
  folder(): Promise<string> {
    if (this.root === undefined) {
      const { context } = buildPlace(this.dockerfile);
      this.root = existsSync(context) ? context : dirname(this.dockerfile);
    }
    return Promise.resolve(this.root);
  }

  private async inside(directory: string): Promise<string | undefined> {
    const root = await this.folder();
    const path = resolve(root, `.${sep}${directory}`);
    try {
      return isBelow(realpathSync(root), realpathSync(path)) ? path : undefined;
    } catch {
      return undefined; // A directory that does not exist.
    }
  }
}

/** The build context of a document; undefined for what does not lie on disk. */
export function contextOf(uri: string): BuildContext | undefined {
  const path = pathOf(uri);
  return path === undefined ? undefined : new BuildContext(path);
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

async function readSmall(path: string): Promise<string | undefined> {
  try {
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts?.isFile() !== true || facts.size > FILE_LIMIT) return undefined;
    return await readFile(path, 'utf8');
  } catch {
    return undefined; // Not to be read: as if it were not there.
  }
}

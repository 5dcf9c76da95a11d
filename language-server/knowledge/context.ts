/**
 * The build context of a document on disk: its folder, or the one that a devcontainer.json beside it names. It reads
 * names and ignore files only, never leaves the context, and never follows a link out of it.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parse } from 'jsonc-parser';
import { type Dockerignore, parseDockerignore } from '../../src/lib/dockerfile/dockerignore.ts';
import type { ContextEntry, ContextFiles } from '../features/completion/paths.ts';
import { isRecord } from '../settings.ts';

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
  async folder(): Promise<string> {
    this.root ??= (await contextOfDevContainer(this.dockerfile)) ?? dirname(this.dockerfile);
    return this.root;
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
  if (!uri.startsWith('file:')) return undefined;
  try {
    return new BuildContext(fileURLToPath(uri));
  } catch {
    return undefined; // An address with a host, or no path at all.
  }
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** `build.context` of a devcontainer.json beside the Dockerfile that builds it (its reference, "build"). */
async function contextOfDevContainer(dockerfile: string): Promise<string | undefined> {
  const folder = dirname(dockerfile);
  const text = await readSmall(join(folder, 'devcontainer.json'));
  if (text === undefined) return undefined;
  const config: unknown = parse(text);
  const build = isRecord(config) && isRecord(config['build']) ? config['build'] : undefined;
  const context = build?.['context'];
  if (build?.['dockerfile'] !== basename(dockerfile) || typeof context !== 'string')
    return undefined;
  const root = resolve(folder, context);
  return existsSync(root) ? root : undefined;
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

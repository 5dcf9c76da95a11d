/** Makes a folder into a build context: a tar of what .dockerignore leaves. It never follows a link out of the folder. */

import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { create } from 'tar';
import { parseDockerignore } from '../../lib/dockerfile/dockerignore.ts';
import { EngineError } from '../../lib/errors.ts';
import { readSmallFile } from './disk.ts';

export interface BuildContext {
  /** Destroyed with an error when a file cannot be read. */
  readonly tar: Readable;
  /** The Dockerfile's path in the context. */
  readonly dockerfile: string;
}

/** The context of `folder`; `file` is the Dockerfile (default: FOLDER/Dockerfile). Throws not-found naming what is missing. */
export function buildContext(folder: string, file?: string): BuildContext {
  const { root, inside, choice } = prepare(folder, file);
  return { tar: pack(root, listFiles(root, choice)), dockerfile: inside };
}

/** The same for who must not be held up: folders are read one after the other, others' work goes between. */
export async function openBuildContext(
  folder: string,
  file: string,
  signal: AbortSignal,
): Promise<BuildContext> {
  const { root, inside, choice } = prepare(folder, file);
  const names: string[] = [];
  const walk = async (at: string): Promise<void> => {
    signal.throwIfAborted();
    for (const entry of inOrder(await readdir(join(root, at), { withFileTypes: true }))) {
      const name = at === '' ? entry.name : `${at}/${entry.name}`;
      if (choice.takes(name)) names.push(name);
      if (entry.isDirectory() && choice.enters(name)) await walk(name);
    }
  };
  await walk('');
  return { tar: pack(root, names), dockerfile: inside };
}

/** Which paths of a context are sent. */
interface Choice {
  takes(name: string): boolean;
  /** False for a directory that is left out with everything below it. */
  enters(name: string): boolean;
}

function prepare(
  folder: string,
  file: string | undefined,
): { readonly root: string; readonly inside: string; readonly choice: Choice } {
  const root = resolve(folder);
  if (!existsSync(root) || !statSync(root).isDirectory()) {
    throw new EngineError('not-found', `unable to prepare context: path "${folder}" not found`, {
      path: root,
    });
  }
  const path = file === undefined ? join(root, 'Dockerfile') : resolve(file);
  if (!existsSync(path)) {
    throw new EngineError(
      'not-found',
      `unable to evaluate symlinks in Dockerfile path: ${path} does not exist`,
      { path },
    );
  }
  const inside = relative(root, path);
  const outside = inside.startsWith('..') || isAbsolute(inside);
  if (outside)
    throw new EngineError(
      'invalid',
      `the Dockerfile ${path} is not in the build context ${root}; move it there`,
      { path },
    );
  const ignore = parseDockerignore(ignoreText(root, path));
  // The engine needs these two even when they are ignored.
  const always = new Set([inside, '.dockerignore']);
  const holds = (name: string): boolean => inside.startsWith(`${name}/`);
  const choice: Choice = {
    takes: (name) => always.has(name) || !ignore.matches(name),
    enters: (name) => holds(name) || !ignore.prunes(name),
  };
  return { root, inside, choice };
}

function ignoreText(root: string, dockerfile: string): string {
  const own = `${dockerfile}.dockerignore`;
  const file = existsSync(own) ? own : join(root, '.dockerignore');
  return existsSync(file) ? readSmallFile(file) : '';
}

/** Every path beneath, parents first, `/` between. An ignored directory is entered where a later `!` may bring a file of it back. */
function listFiles(root: string, choice: Choice): string[] {
  const names: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of inOrder(readdirSync(join(root, folder), { withFileTypes: true }))) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (choice.takes(name)) names.push(name);
      if (entry.isDirectory() && choice.enters(name)) walk(name);
    }
  };
  walk('');
  return names;
}

function inOrder(entries: readonly Dirent[]): Dirent[] {
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function pack(root: string, names: readonly string[]): Readable {
  const out = new PassThrough();
  if (names.length === 0) {
    // Two empty blocks: a tar without entries.
    out.end(Buffer.alloc(1024));
    return out;
  }
  const tar = create(
    { cwd: root, noDirRecurse: true, portable: false, follow: false },
    names.map((name) => `./${name}`),
  );
  tar.on('error', (error: unknown) =>
    out.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  tar.pipe(out);
  return out;
}

/** The name that docker gives an image of a folder: lower case, nothing but letters, digits and dashes. */
export function imageNameOf(folder: string): string {
  return (
    basename(resolve(folder))
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '') || 'workspace'
  );
}

/** Makes a folder into a build context: a tar of what .dockerignore leaves. It never follows a link out of the folder. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { create } from 'tar';
import { parseDockerignore } from '../../lib/dockerfile/dockerignore.ts';
import { EngineError } from '../../lib/errors.ts';

export interface BuildContext {
  /** Destroyed with an error when a file cannot be read. */
  readonly tar: Readable;
  /** The Dockerfile's path in the context. */
  readonly dockerfile: string;
}

/** The context of `folder`; `file` is the Dockerfile (default: FOLDER/Dockerfile). Throws not-found naming what is missing. */
export function buildContext(folder: string, file?: string): BuildContext {
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
  const names = listFiles(root, (name) => always.has(name) || !ignore.matches(name));
  return { tar: pack(root, names), dockerfile: inside };
}

function ignoreText(root: string, dockerfile: string): string {
  const own = `${dockerfile}.dockerignore`;
  const file = existsSync(own) ? own : join(root, '.dockerignore');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Every path beneath, parents first, `/` between. An ignored directory is still entered: a later `!` may bring a file of it back. */
function listFiles(root: string, wanted: (name: string) => boolean): string[] {
  const names: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (wanted(name)) names.push(name);
      if (entry.isDirectory()) walk(name);
    }
  };
  walk('');
  return names;
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

/**
 * The build context on disk: unpacked from the request into a folder of its own, the Dockerfile and the ignore file read
 * from it. Paths are walked beneath the context by hand, so that a symbolic link in it never leads outside.
 */
import { chmod, lstat, mkdir, open, readlink } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { parseDockerignore } from '../../lib/dockerfile/dockerignore.ts';
import { parseDockerfile } from '../../lib/dockerfile/parse.ts';
import type { Dockerfile } from '../../lib/dockerfile/syntax.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Native } from '../runtime/types.ts';
import { freeBytes } from '../storage/places.ts';

const DOCKERFILE_LIMIT = 1024 * 1024;
/** Entries of a context; a bomb of tiny files ends here. */
const MAX_ENTRIES = 5_000_000;
const IGNORE_LIMIT = 5 * 1024 * 1024;
/** As the kernel's own limit (path_resolution(7)). */
const LINK_LIMIT = 40;

export interface BuildContext {
  /** Holds everything that the build writes beside snapshots; removed with it. */
  readonly dir: string;
  readonly root: string;
  readonly file: Dockerfile;
  /** As people call it, for messages. */
  readonly name: string;
  readonly ignore: readonly string[];
}

/** Unpacks the tar (gzip, zstd or plain) into `dir`/context and reads the Dockerfile. `dir` must exist. */
export async function openContext(
  tar: Readable,
  options: { dir: string; dockerfile: string; native: Native; signal: AbortSignal },
): Promise<BuildContext> {
  const { dir, native, signal } = options;
  const root = join(dir, 'context');
  await mkdir(root);
  await chmod(root, 0o755);
  const request = {
    dir: root,
    form: 'plain',
    keep: null,
    expectDigest: null,
    expectDiffId: null,
    limits: { bytes: freeBytes(root), entries: MAX_ENTRIES },
    idMap: null,
  };
  await native.call(['layer', 'unpack'], request, { input: tar, signal });
  const asked = options.dockerfile === '' ? 'Dockerfile' : options.dockerfile;
  const { name, text } = await readDockerfile(root, asked);
  const ignore =
    (await readInside(root, `${name}.dockerignore`, IGNORE_LIMIT)) ??
    (await readInside(root, '.dockerignore', IGNORE_LIMIT)) ??
    '';
  const patterns = parseDockerignore(ignore).patterns.map(
    ({ text: pattern, negated }) => `${negated ? '!' : ''}${pattern}`,
  );
  return { dir, root, file: parseDockerfile(text), name, ignore: patterns };
}

async function readDockerfile(
  root: string,
  asked: string,
): Promise<{ name: string; text: string }> {
  for (const name of asked === 'Dockerfile' ? [asked, 'dockerfile'] : [asked]) {
    const text = await readInside(root, name, DOCKERFILE_LIMIT);
    if (text === undefined) continue;
    if (text === '') throw new EngineError('invalid', `the Dockerfile (${name}) cannot be empty`);
    return { name, text };
  }
  throw new EngineError('invalid', `Cannot locate specified Dockerfile: ${asked}`, { path: asked });
}

/** The text of a file beneath the root; undefined when there is none. Throws `invalid` when it is too large or no file. */
export async function readInside(
  root: string,
  path: string,
  limit: number,
): Promise<string | undefined> {
  const real = await resolveInside(root, path);
  if (real === undefined) return undefined;
  const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = await handle.stat();
    if (!facts.isFile())
      throw new EngineError('invalid', `${path} in the build context is not a file`, { path });
    if (facts.size > limit) {
      throw new EngineError(
        'invalid',
        `${path} in the build context is larger than ${limit / 1024 / 1024} MB`,
        { path },
      );
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** The real place of a path beneath the root, links resolved as if the root were `/`; undefined when it does not exist. */
export async function resolveInside(root: string, path: string): Promise<string | undefined> {
  const waiting = path.split('/').reverse();
  const done: string[] = [];
  let links = 0;
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const place = join(root, ...done, part);
    const facts = await lstat(place).catch(absent);
    if (facts === undefined) return undefined;
    if (!facts.isSymbolicLink()) {
      done.push(part);
      continue;
    }
    if (++links > LINK_LIMIT)
      throw new EngineError('invalid', `too many symbolic links in ${path}`, { path });
    const target = await readlink(place);
    if (target.startsWith('/')) done.length = 0;
    waiting.push(...target.split('/').reverse());
  }
  return join(root, ...done);
}

function absent(error: unknown): undefined {
  if (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOENT' || error.code === 'ENOTDIR')
  )
    return undefined;
  throw error;
}

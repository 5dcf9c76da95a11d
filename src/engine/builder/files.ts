/**
 * The steps that change files without a process: COPY, ADD, WORKDIR; and the content hashes that their cache keys need.
 * Every byte is read and written by the native helper beneath descriptors; nothing here opens a file of an image.
 */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { Native, Root } from '../runtime/types.ts';
import type { Draft } from '../storage/types.ts';
import type { BuildContext } from './context.ts';
import type { CopyAction, Graph, InlineFile, WorkdirAction } from './plan/graph.ts';

interface HashEntry {
  readonly pattern: string;
  readonly matches: readonly { readonly path: string; readonly digest: string }[];
}

/** The content digests of patterns of the build context. */
export type ContextHash = (patterns: readonly string[]) => Promise<readonly HashEntry[]>;

/** Hashes everything that the graph takes from the context in one call, when the first step asks. */
export function hashContext(
  graph: Graph,
  parts: { context: BuildContext; native: Native; signal: AbortSignal },
): ContextHash {
  const { context, native, signal } = parts;
  const wanted = new Set<string>();
  for (const stage of graph.stages)
    for (const { action } of stage.steps)
      for (const pattern of contextPatterns(action)) wanted.add(pattern);
  let answer: Promise<Map<string, HashEntry>> | undefined;
  const ask = async (): Promise<Map<string, HashEntry>> => {
    const request = {
      source: { dir: context.root },
      patterns: [...wanted],
      ignore: context.ignore,
      wildcards: true,
      followLinks: true,
    };
    const { entries } = await native.call<{ entries: HashEntry[] }>(['layer', 'hash'], request, {
      signal,
    });
    return new Map(entries.map((entry) => [entry.pattern, entry]));
  };
  return async (patterns) => {
    answer ??= ask();
    const known = await answer;
    return patterns.map((pattern) => known.get(pattern) ?? { pattern, matches: [] });
  };
}

function contextPatterns(
  action: Graph['stages'][number]['steps'][number]['action'],
): readonly string[] {
  if (action.kind === 'copy') return action.source.kind === 'context' ? action.patterns : [];
  if (action.kind !== 'run') return [];
  return action.mounts.flatMap((mount) =>
    mount.type === 'bind' && mount.source.kind === 'context' ? [mount.path] : [],
  );
}

/** The tree above which a step writes. */
export function draftRoot(draft: Draft): Root {
  const { lowers, upper, work } = draft;
  return lowers.length === 0 ? { dir: upper } : { lowers, upper, work };
}

export interface CopyInput {
  readonly draft: Draft;
  readonly native: Native;
  readonly signal: AbortSignal;
  /** The tree that the patterns are matched in. */
  readonly source: Root;
  /** Ignore lines; none for stages and images. */
  readonly ignore: readonly string[];
  /** A fresh folder for heredocs. */
  readonly inlineDir: string;
}

/** Copies into the draft. A source that is missing is `not-found` with Docker's wording. */
export async function copyFiles(action: CopyAction, input: CopyInput): Promise<void> {
  const target = draftRoot(input.draft);
  const request = {
    target,
    ignore: [] as readonly string[],
    chown: action.chown ?? null,
    chmod: action.chmod ?? null,
    parents: action.parents,
    exclude: action.excludes,
    mtime: null,
  };
  try {
    if (action.patterns.length > 0) {
      const items = action.patterns.map((pattern) => ({ pattern, dest: action.dest }));
      const keepOwner = action.source.kind !== 'context' && action.chown === undefined;
      await input.native.call(
        ['layer', 'copy'],
        {
          ...request,
          source: input.source,
          items,
          ignore: input.ignore,
          wildcards: true,
          destIsDir: action.destIsDir,
          unpackArchives: action.unpack,
          keepOwner,
        },
        { signal: input.signal },
      );
    }
    if (action.files.length === 0) return;
    const items = await writeInline(action.files, action, input.inlineDir);
    await input.native.call(
      ['layer', 'copy'],
      {
        ...request,
        source: { dir: input.inlineDir },
        items,
        wildcards: false,
        destIsDir: false,
        unpackArchives: false,
        keepOwner: false,
        parents: false,
        exclude: [],
      },
      { signal: input.signal },
    );
  } catch (error) {
    if (kindOf(error) === 'cancelled') throw error;
    throw new EngineError(kindOf(error), `${action.verb} failed: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Files are written under numbers: a heredoc's name is the Dockerfile's word and must not choose a path of this machine. */
async function writeInline(
  files: readonly InlineFile[],
  action: CopyAction,
  dir: string,
): Promise<{ pattern: string; dest: string }[]> {
  await mkdir(dir, { recursive: true });
  const items: { pattern: string; dest: string }[] = [];
  for (const [at, file] of files.entries()) {
    await writeFile(join(dir, String(at)), file.content, { mode: 0o644 });
    items.push({
      pattern: String(at),
      dest: action.destIsDir
        ? `${action.dest === '/' ? '' : action.dest}/${file.name}`
        : action.dest,
    });
  }
  return items;
}

/** Docker's sentence about a source that is not there. */
export function missingSource(action: CopyAction, pattern: string): EngineError {
  const where =
    action.source.kind === 'context'
      ? 'file not found in build context or excluded by .dockerignore: '
      : '';
  return new EngineError(
    'not-found',
    `${action.verb} failed: ${where}stat ${pattern}: file does not exist`,
    { path: pattern },
  );
}

/** Makes the working directory and its parents where they are missing. */
export async function makeWorkdir(
  action: WorkdirAction,
  input: { draft: Draft; native: Native; signal: AbortSignal },
): Promise<void> {
  const request = {
    target: draftRoot(input.draft),
    path: action.path,
    owner: action.owner ?? null,
    mode: 0o755,
  };
  await input.native.call(['layer', 'mkdir'], request, { signal: input.signal });
}

/** True when a step left nothing: no entries, and a root directory like the one below. */
export async function isUnchanged(draft: Draft): Promise<boolean> {
  if ((await readdir(draft.upper)).length > 0) return false;
  const below = draft.lowers[0];
  if (below === undefined) return true;
  const [before, after] = await Promise.all([stat(below), stat(draft.upper)]);
  return before.mode === after.mode && before.uid === after.uid && before.gid === after.gid;
}

/**
 * The steps that change files without a process: COPY, ADD, WORKDIR; and the content hashes that their cache keys need.
 * Every byte is read and written by the native helper beneath descriptors; nothing here opens a file of an image.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { Native, Root } from '../runtime/types.ts';
import type { Draft } from '../storage/types.ts';
import type { BuildContext } from './context.ts';
import { writeShown } from './run.ts';
import type { Action, CopyAction, Graph, InlineFile, WorkdirAction } from './plan/graph.ts';

export interface HashEntry {
  readonly pattern: string;
  readonly matches: readonly { readonly path: string; readonly digest: string }[];
}

/** What a step takes from a tree. */
export interface Selection {
  readonly patterns: readonly string[];
  readonly excludes: readonly string[];
  readonly parents: boolean;
  readonly wildcards: boolean;
}

/** The content digests of what a step takes. */
export type ContentHash = (selection: Selection) => Promise<readonly HashEntry[]>;

/** Hashes everything that the graph takes from the context when the first step asks: one call for each way of selecting. */
export function hashContext(
  graph: Graph,
  parts: { context: BuildContext; native: Native; signal: AbortSignal },
): ContentHash {
  const { context, native, signal } = parts;
  const wanted = new Map<string, { selection: Selection; patterns: Set<string> }>();
  for (const { action } of graph.stages.flatMap(({ steps }) => steps)) {
    for (const selection of contextSelections(action)) {
      const group = wanted.get(groupOf(selection)) ?? { selection, patterns: new Set() };
      for (const pattern of selection.patterns) group.patterns.add(pattern);
      wanted.set(groupOf(selection), group);
    }
  }
  const answers = new Map<string, Promise<Map<string, HashEntry>>>();
  const ask = async (group: string): Promise<Map<string, HashEntry>> => {
    const found = wanted.get(group);
    if (found === undefined) return new Map();
    const selection = { ...found.selection, patterns: [...found.patterns] };
    const tree = { root: { dir: context.root }, ignore: context.ignore };
    const entries = await hashTree(selection, { ...tree, native, signal });
    return new Map(entries.map((entry) => [entry.pattern, entry]));
  };
  return async (selection) => {
    const group = groupOf(selection);
    const answer = answers.get(group) ?? ask(group);
    answers.set(group, answer);
    const known = await answer;
    return selection.patterns.map((pattern) => known.get(pattern) ?? { pattern, matches: [] });
  };
}

/** The digests of what a selection takes from a tree. Owners count in trees of images and stages, not in the context. */
export async function hashTree(
  selection: Selection,
  from: { root: Root; ignore: readonly string[]; native: Native; signal: AbortSignal },
): Promise<readonly HashEntry[]> {
  const { patterns, excludes, parents, wildcards } = selection;
  const request = {
    source: from.root,
    patterns,
    ignore: from.ignore,
    exclude: excludes,
    parents,
    wildcards,
    followLinks: true,
  };
  const answer = await from.native.call<{ entries: HashEntry[] }>(['layer', 'hash'], request, {
    signal: from.signal,
  });
  return answer.entries;
}

function groupOf({ excludes, parents, wildcards }: Selection): string {
  return JSON.stringify([excludes, parents, wildcards]);
}

export function copySelection(action: CopyAction): Selection {
  const { patterns, excludes, parents } = action;
  return { patterns, excludes, parents, wildcards: true };
}

export function mountSelection(path: string): Selection {
  return { patterns: [path], excludes: [], parents: false, wildcards: false };
}

function contextSelections(action: Action): Selection[] {
  if (action.kind === 'copy')
    return action.source.kind === 'context' ? [copySelection(action)] : [];
  if (action.kind !== 'run') return [];
  return action.mounts.flatMap((mount) =>
    mount.type === 'bind' && mount.source.kind === 'context' ? [mountSelection(mount.path)] : [],
  );
}

/** The tree above which a step writes. */
function draftRoot(draft: Draft): Root {
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
    await writeShown(join(dir, String(at)), file.content, 0o644);
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

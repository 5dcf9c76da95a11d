/** The cache key of a step, and what went into it. It hashes sources when they are needed and does no work of the step itself. */
import type { StepInputs } from './records/reasons.ts';
import { inputsOf } from './records/reasons.ts';
import {
  copySelection,
  hashTree,
  missingSource,
  mountSelection,
  type HashEntry,
  type Selection,
} from './files.ts';
import { copyKey, hashParts, runKey, workdirKey, type Key, type SourceContent } from './keys.ts';
import type { Action, CopyAction, RunMount, Source } from './plan/graph.ts';
import type { Position, StepIo } from './steps.ts';

export type FileAction = Exclude<Action, { kind: 'meta' }>;

export async function keyOf(
  action: FileAction,
  at: Position,
  io: StepIo,
): Promise<{ key: Key; inputs: StepInputs }> {
  if (action.kind === 'workdir')
    return { key: workdirKey(at.fileKey, action), inputs: inputsOf(action, []) };
  if (action.kind === 'copy') {
    const content = await copyContent(action, io);
    return { key: copyKey(at.fileKey, action, content), inputs: inputsOf(action, [content]) };
  }
  const mounts = await Promise.all(
    action.mounts.map(async (mount) => ({ mount, content: await mountContent(mount, io) })),
  );
  const contents = mounts.map(({ content }) => content ?? []);
  return { key: runKey(at.fileKey, action, mounts), inputs: inputsOf(action, contents) };
}

async function copyContent(action: CopyAction, io: StepIo): Promise<readonly HashEntry[]> {
  if (action.patterns.length === 0) return [];
  const entries = await contentOf(action.source, copySelection(action), io);
  for (const { pattern, matches } of entries)
    if (matches.length === 0) throw missingSource(action, pattern);
  return entries;
}

async function mountContent(
  mount: RunMount,
  io: StepIo,
): Promise<(SourceContent & readonly HashEntry[]) | null> {
  return mount.type === 'bind' ? contentOf(mount.source, mountSelection(mount.path), io) : null;
}

/** The name under which the content of a tree that never changes is remembered. */
export function contentKey(chain: string, selection: Selection): Key {
  return hashParts('content', chain, selection);
}

/** Trees of stages and images never change, so what was hashed once is remembered. */
async function contentOf(
  source: Source,
  selection: Selection,
  { parts, run }: StepIo,
): Promise<readonly HashEntry[]> {
  if (source.kind === 'context') return run.hash(selection);
  const chain = await run.chainOf(source);
  if (chain === null) return selection.patterns.map((pattern) => ({ pattern, matches: [] }));
  const key = contentKey(chain, selection);
  const known = parts.cache.content(key);
  if (known !== undefined) return JSON.parse(known) as HashEntry[];
  const root = { lowers: parts.snapshots.lowers(chain) };
  const entries = await hashTree(selection, {
    root,
    ignore: [],
    native: parts.native,
    signal: run.signal,
  });
  parts.cache.putContent(key, JSON.stringify(entries));
  return entries;
}

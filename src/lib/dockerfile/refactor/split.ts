/** Splits a RUN at its `&&` into several, where no command needs what one before it left in the shell. */
import { lineBreak, replace } from '../lint/edits.ts';
import type { Edit } from '../lint/rule.ts';
import type { RunInstruction } from '../syntax.ts';
import { andParts, leavesState, type Part } from './lists.ts';
import { commentsIn, isPlainRun, onlyInstruction, scriptFor, wholeHeadOf } from './place.ts';
import type { RefactorRequest, Refactoring } from './refactoring.ts';

export function splitRun(request: RefactorRequest): readonly Refactoring[] {
  const run = onlyInstruction(request);
  if (!isPlainRun(run) || run.mounts.some(({ type }) => type === 'tmpfs')) return [];
  const script = scriptFor(request, run)?.script;
  const parts = script === undefined ? undefined : andParts(script);
  if (script === undefined || parts === undefined || parts.length < 2) return [];
  if (script.marks.some(({ kind }) => kind === 'comment')) return [];
  const stateful = parts.findIndex((part) => leavesState(script, part));
  const last = stateful < 0 ? parts.length - 1 : stateful;
  const found: Refactoring[] = [];
  if (last >= parts.length - 1)
    found.push({
      title: `Split this RUN into ${String(parts.length)}`,
      kind: 'rewrite',
      edits: parts.slice(1).map((part, index) => cut(request, run, parts[index], part)),
    });
  const at = parts.findLastIndex(({ range }) => range.start <= request.selection.start);
  const here = parts[at];
  if (here !== undefined && at > 0 && at <= last && parts.length > 2)
    found.push({
      title: 'Split this RUN before this command',
      kind: 'rewrite',
      edits: [cut(request, run, parts[at - 1], here)],
    });
  return found;
}

function cut(
  { file }: RefactorRequest,
  run: RunInstruction,
  before: Part | undefined,
  after: Part,
): Edit {
  const range = { start: before?.range.end ?? after.range.start, end: after.range.start };
  const newline = lineBreak(file);
  const comments = commentsIn(file.text.slice(range.start, range.end)).map(
    (line) => line + newline,
  );
  return replace(range, `${newline}${comments.join('')}${wholeHeadOf(file, run)}`);
}

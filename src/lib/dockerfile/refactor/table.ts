/** The one table of refactorings. They are pure, never throw, and offer nothing for an instruction that has an error. */
import type { Instruction } from '../syntax.ts';
import { addCacheMounts } from './cache-mount.ts';
import { toExecForm, toShellForm } from './exec-form.ts';
import { extractStage } from './extract-stage.ts';
import { fromHeredoc, toHeredoc } from './heredoc.ts';
import { mergeRuns } from './merge.ts';
import { pinDigest } from './pin-digest.ts';
import { instructionsIn } from './place.ts';
import type { Refactor, RefactorRequest, Refactoring } from './refactoring.ts';
import { splitRun } from './split.ts';

const REFACTORS: readonly Refactor[] = [
  mergeRuns,
  splitRun,
  toHeredoc,
  fromHeredoc,
  toExecForm,
  toShellForm,
  addCacheMounts,
  pinDigest,
  extractStage,
];

/** All that can be offered at a place, in the order of the table. */
export function refactoringsAt(request: RefactorRequest): readonly Refactoring[] {
  const here = instructionsIn(request.file, request.selection);
  if (here.length === 0 || here.some((instruction) => isBroken(request, instruction))) return [];
  return REFACTORS.flatMap((refactor) => refactor(request));
}

function isBroken({ file }: RefactorRequest, { range }: Instruction): boolean {
  return file.problems.some(
    ({ severity, range: { start, end } }) =>
      severity === 'error' && start.offset <= range.end && end.offset >= range.start,
  );
}

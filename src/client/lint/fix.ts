/** Applies the linter's fixes to a text until none is left. It reads and writes no file. */

import { applyEdits, compatibleFixes } from '../../lib/dockerfile/lint/edits.ts';
import type { FixSafety, LintProblem } from '../../lib/dockerfile/lint/rule.ts';

/** Fixes that make each other needed again end here. */
const ROUNDS = 10;

export interface Fixed {
  readonly text: string;
  readonly count: number;
}

/** Fixes a text; `lint` finds the problems of a text. */
export async function fixText(
  text: string,
  lint: (text: string) => Promise<readonly LintProblem[]>,
  safeties: readonly FixSafety[],
): Promise<Fixed> {
  let fixed = text;
  let count = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const fixes = compatibleFixes(await lint(fixed), safeties);
    if (fixes.length === 0) break;
    const next = applyEdits(
      fixed,
      fixes.flatMap(({ edits }) => edits),
    );
    if (next === fixed) break;
    fixed = next;
    count += fixes.length;
  }
  return { text: fixed, count };
}

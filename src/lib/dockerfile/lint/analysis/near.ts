/** Makes the fix and the hint of a mistyped word. */
import { nearest } from '../../problems.ts';
import type { Range } from '../../syntax.ts';
import { replace, suggestedFix } from '../edits.ts';
import type { Fix } from '../rule.ts';

/** The fix that puts the nearest candidate in the place of a word; empty when none is near. */
export function nearestFix(
  word: string,
  range: Range,
  candidates: Iterable<string>,
): { readonly fix?: Fix } {
  const found = nearest(word, candidates);
  if (found === undefined || found === word) return {};
  return { fix: suggestedFix(`Change to ${found}`, replace(range, found)) };
}

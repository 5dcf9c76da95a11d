/** Makes the hint and the fix of a mistyped word. */
import { nearest } from '../../problems.ts';
import type { Range } from '../../syntax.ts';
import { replace, suggestedFix } from '../edits.ts';
import type { Fix } from '../rule.ts';

/** Among more candidates than this none is looked for: the work would grow with the square of a hostile file. */
const CANDIDATES = 600;

/** `; did you mean X?`, or nothing. */
export function nearHint(word: string, candidates: Iterable<string>): string {
  const found = nearWord(word, candidates);
  return found === undefined ? '' : `; did you mean ${found}?`;
}

/** The fix that puts the nearest candidate in the place of a word; empty when none is near. */
export function nearestFix(
  word: string,
  range: Range,
  candidates: Iterable<string>,
): { readonly fix?: Fix } {
  const found = nearWord(word, candidates);
  if (found === undefined || found === word) return {};
  return { fix: suggestedFix(`Change to ${found}`, replace(range, found)) };
}

/** The candidate that is nearest to a word. */
export function nearWord(word: string, candidates: Iterable<string>): string | undefined {
  const some: string[] = [];
  const slack = Math.max(1, Math.floor(word.length / 3));
  let looked = 0;
  for (const candidate of candidates) {
    const more = word.length - candidate.length;
    // GOPATH is no mistyped PATH.
    const isLonger = more > 1 && (word.endsWith(candidate) || word.startsWith(candidate));
    if (Math.abs(more) <= slack && !isLonger) some.push(candidate);
    if (++looked >= CANDIDATES) break;
  }
  return nearest(word, some);
}

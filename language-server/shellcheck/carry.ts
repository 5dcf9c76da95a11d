/** Moves problems of one version of a text to where they are in the next: those that the edit touched are dropped. Pure. */
import type { LintProblem } from '../../src/lib/dockerfile/lint/rule.ts';
import type { Dockerfile, Range } from '../../src/lib/dockerfile/syntax.ts';

export function carryOver(
  problems: readonly LintProblem[],
  before: string,
  file: Dockerfile,
): readonly LintProblem[] {
  if (problems.length === 0) return [];
  const { text, lines } = file;
  const shorter = Math.min(before.length, text.length);
  let head = 0;
  while (head < shorter && before.charCodeAt(head) === text.charCodeAt(head)) head++;
  let tail = 0;
  while (
    tail < shorter - head &&
    before.charCodeAt(before.length - 1 - tail) === text.charCodeAt(text.length - 1 - tail)
  )
    tail++;
  const delta = text.length - before.length;
  const move = ({ start, end }: Range): Range | undefined => {
    if (end <= head) return { start, end };
    if (start < before.length - tail) return undefined;
    return { start: start + delta, end: end + delta };
  };
  return problems.flatMap(({ fix, ...problem }) => {
    const { start, end } = problem.range;
    const range = move({ start: start.offset, end: end.offset });
    if (range === undefined) return [];
    const edits = fix?.edits.flatMap(({ range: each, text: put }) => {
      const moved = move(each);
      return moved === undefined ? [] : [{ range: moved, text: put }];
    });
    const isWhole = fix !== undefined && edits?.length === fix.edits.length;
    const moved = { ...problem, range: lines.span(range) };
    return [isWhole ? { ...moved, fix: { ...fix, edits } } : moved];
  });
}

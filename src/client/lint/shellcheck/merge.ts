/**
 * Adds ShellCheck's findings to the linter's own: at their places in the file, none twice, and none that comments,
 * settings or `.hadolint.yaml` do not want. Pure.
 */
import type { Edit, Fix, LintOptions, LintProblem } from '../../../lib/dockerfile/lint/rule.ts';
import { readSuppressions } from '../../../lib/dockerfile/lint/suppress.ts';
import { ruleOf, rulesNamed } from '../../../lib/dockerfile/lint/table.ts';
import type { Dockerfile, Range, Severity } from '../../../lib/dockerfile/syntax.ts';
import type { Comment } from './comments.ts';
import { type Input, Places } from './input.ts';

export interface Finding {
  readonly input: Input;
  readonly comments: readonly Comment[];
}

/** More than this in one file helps nobody. */
const LIMIT = 1000;

const SEVERITIES: Readonly<Record<Comment['level'], Severity>> = {
  error: 'error',
  warning: 'warning',
  info: 'information',
  style: 'hint',
};

/** The findings that are to be shown beside our own problems. */
export function findingsAmong(
  own: readonly LintProblem[],
  findings: readonly Finding[],
  { file, options }: { readonly file: Dockerfile; readonly options: LintOptions },
): readonly LintProblem[] {
  if (findings.every(({ comments }) => comments.length === 0)) return [];
  const suppressions = readSuppressions(file, options);
  const added: LintProblem[] = [];
  for (const { input, comments } of findings) {
    const places = new Places(input);
    for (const comment of comments) {
      const { code, message, level } = comment;
      const range = places.range(comment.start, comment.end);
      if (range === undefined || suppressions.ignores(code, range)) continue;
      if (own.some((problem) => isSame(problem, code, range))) continue;
      const severity = severityOf(code, SEVERITIES[level], suppressions.severities);
      if (severity === undefined || added.length >= LIMIT) continue;
      const fix = fixOf(comment, places);
      const span = file.lines.span(range);
      added.push({ code, message, range: span, severity, ...(fix === undefined ? {} : { fix }) });
    }
  }
  return added;
}

/** All problems of a file, in its order; none of ours twice. */
export function joinProblems(
  own: readonly LintProblem[],
  added: readonly LintProblem[],
): readonly LintProblem[] {
  const others = added.filter(({ code, range: { start, end } }) => {
    const range = { start: start.offset, end: end.offset };
    return !own.some((problem) => isSame(problem, code, range));
  });
  if (others.length === 0) return own;
  return [...own, ...others].sort((a, b) => a.range.start.offset - b.range.start.offset);
}

/** One of our rules that has this number has found it there. */
function isSame(
  { code, range: { start, end } }: LintProblem,
  other: string,
  range: Range,
): boolean {
  if (start.offset > range.end || end.offset < range.start) return false;
  return ruleOf(code)?.aliases.includes(other) === true;
}

/** undefined: it is switched off, by its number or as one of our rules. */
function severityOf(
  code: string,
  own: Severity,
  severities: ReadonlyMap<string, Severity | 'off'>,
): Severity | undefined {
  for (const name of [code, ...rulesNamed(code).map(({ id }) => id)]) {
    const chosen = severities.get(name);
    if (chosen === 'off') return undefined;
    if (chosen !== undefined) return chosen;
  }
  return own;
}

function fixOf({ fix, code }: Comment, places: Places): Fix | undefined {
  const edits: Edit[] = [];
  for (const { start, end, text, side } of fix) {
    const isInsertion = start.line === end.line && start.column === end.column;
    const range = isInsertion ? places.insertion(start, side) : places.range(start, end);
    if (range === undefined) return undefined;
    edits.push({ range, text });
  }
  if (edits.length === 0) return undefined;
  edits.sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
  const overlap = edits.some((edit, at) => edit.range.start < (edits[at - 1]?.range.end ?? 0));
  return overlap
    ? undefined
    : { title: `Apply ShellCheck's fix of ${code}`, edits, safety: 'suggestion' };
}

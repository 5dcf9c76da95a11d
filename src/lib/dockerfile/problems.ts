/** Owns the collecting of problems: bounded, positioned and in the order of the file. */
import type { LineIndex, Problem, ProblemCode, Range, Severity } from './syntax.ts';

/** More findings than this in one file help nobody and would cost the editor its breath. */
const LIMIT = 1000;

export interface Finding {
  readonly code: ProblemCode;
  readonly message: string;
  readonly range: Range;
  /** `error` when absent. */
  readonly severity?: Severity;
}

const NONE: readonly Problem[] = [];

export class ProblemList {
  private readonly lines: LineIndex;
  private readonly found: Problem[] = [];
  private overflow: Range | undefined;

  constructor(lines: LineIndex) {
    this.lines = lines;
  }

  /** No more are kept: a costly message need not be made. */
  get full(): boolean {
    return this.found.length >= LIMIT;
  }

  add(finding: Finding): void {
    if (this.full) {
      this.overflow ??= finding.range;
      return;
    }
    this.found.push(problemOf(finding, this.lines));
  }

  get count(): number {
    return this.found.length;
  }

  /** What was found from the given count on, in the order of finding. */
  since(count: number): readonly Problem[] {
    return count === this.found.length ? NONE : this.found.slice(count);
  }

  /** Takes problems over that were found before. */
  adopt(problems: readonly Problem[]): void {
    for (const problem of problems) this.found.push(problem);
  }

  /** All problems, sorted by where they start; the last one says so when there were too many. */
  sorted(): readonly Problem[] {
    const sorted = this.found.sort((a, b) => a.range.start.offset - b.range.start.offset);
    if (this.overflow === undefined) return sorted;
    const message = `more than ${String(LIMIT)} problems; the rest are not shown`;
    const more = { code: 'TooManyProblems', message, range: this.overflow } as const;
    return [...sorted, problemOf(more, this.lines)];
  }
}

/** A finding with lines and columns. */
export function problemOf(finding: Finding, lines: LineIndex): Problem {
  const { code, message, range, severity = 'error' } = finding;
  return { code, message, range: lines.span(range), severity };
}

/** The candidate nearest to a mistyped word, or undefined when none is near (distance above a third of its length). */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 40) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let distance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const found = editDistance(wanted, candidate.toLowerCase());
    if (found < distance) {
      best = candidate;
      distance = found;
    }
  }
  return best;
}

/** `; did you mean X?` or nothing. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates);
  return found === undefined ? '' : `; did you mean ${found}?`;
}

/** Edits (insert, remove, exchange one, swap two neighbours) from one word to another. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const step = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(swapped ? Math.min(step, (before[j - 2] ?? 0) + 1) : step);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** What the lint command has found, in the form that every output format takes. */

import type { LintProblem } from '../../lib/dockerfile/lint/rule.ts';
import type { Severity } from '../../lib/dockerfile/syntax.ts';

export interface FileReport {
  /** As it is to be shown. */
  readonly path: string;
  readonly text: string;
  readonly problems: readonly LintProblem[];
}

export interface OutputOptions {
  readonly color: boolean;
}

/** Makes the whole output of a run. */
export type Format = (reports: readonly FileReport[], options: OutputOptions) => string;

/** The names that hadolint gives the severities. */
export const LEVEL_NAMES: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  information: 'info',
  hint: 'style',
};

/** Line and column from one, as people count. */
export function placeOf({ range }: LintProblem): {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
} {
  const { start, end } = range;
  return {
    line: start.line + 1,
    column: start.character + 1,
    endLine: end.line + 1,
    endColumn: end.character + 1,
  };
}

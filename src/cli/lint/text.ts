/** Shows problems to people: a line for each, the place that an editor can jump to first, and a sum at the end. */

import type { Severity } from '../../lib/dockerfile/syntax.ts';
import { printable } from '../output/printable.ts';
import { type FileReport, type Format, LEVEL_NAMES, placeOf } from './report.ts';

const COLORS: Readonly<Record<Severity, string>> = {
  error: '\x1b[31m',
  warning: '\x1b[33m',
  information: '\x1b[36m',
  hint: '\x1b[90m',
};
const RESET = '\x1b[0m';

export const textFormat: Format = (reports, { color }) => {
  const lines: string[] = [];
  for (const { path, problems } of reports) {
    for (const problem of problems) {
      const { line, column } = placeOf(problem);
      const level = LEVEL_NAMES[problem.severity];
      const shown = color ? `${COLORS[problem.severity]}${level}${RESET}` : level;
      const fixable = problem.fix === undefined ? '' : ' (fixable)';
      const where = `${printable(path)}:${String(line)}:${String(column)}`;
      lines.push(`${where} ${shown} ${problem.code}: ${printable(problem.message)}${fixable}`);
    }
  }
  if (lines.length > 0) lines.push('', sum(reports));
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
};

function sum(reports: readonly FileReport[]): string {
  const problems = reports.flatMap((report) => report.problems);
  const files = reports.filter((report) => report.problems.length > 0).length;
  const fixable = problems.filter(({ fix }) => fix?.safety === 'safe').length;
  const fixes = fixable === 0 ? '' : `; --fix repairs ${String(fixable)}`;
  return `${count(problems.length, 'problem')} in ${count(files, 'file')}${fixes}`;
}

function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}

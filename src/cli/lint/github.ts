/** Problems as annotations of GitHub Actions: `::error file=…,line=…::message`. */

import type { Severity } from '../../lib/dockerfile/syntax.ts';
import { printable } from '../output/printable.ts';
import { type Format, placeOf } from './report.ts';

const COMMANDS: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  information: 'notice',
  hint: 'notice',
};

export const githubFormat: Format = (reports) => {
  const lines = reports.flatMap(({ path, problems }) =>
    problems.map((problem) => {
      const { line, column, endLine, endColumn } = placeOf(problem);
      const properties = {
        file: path,
        line,
        endLine,
        ...(line === endLine ? { col: column, endColumn } : {}),
        title: problem.code,
      };
      const list = Object.entries(properties).map(
        ([name, value]) => `${name}=${escapeProperty(String(value))}`,
      );
      return `::${COMMANDS[problem.severity]} ${list.join(',')}::${escapeData(problem.message)}\n`;
    }),
  );
  return lines.join('');
};

/** As the toolkit's own core package does; the log that they end in is read on terminals too. */
function escapeData(text: string): string {
  return printable(text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A'));
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

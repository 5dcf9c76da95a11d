/** Problems as SARIF 2.1.0, with the rules that were broken and the fixes. Columns count UTF-16 code units. */

import type { Fix, LintProblem } from '../../lib/dockerfile/lint/rule.ts';
import { ruleOf } from '../../lib/dockerfile/lint/table.ts';
import { LineIndex, type Range } from '../../lib/text/lines.ts';
import type { Severity } from '../../lib/dockerfile/syntax.ts';
import { VERSION } from '../../lib/version.ts';
import { type FileReport, type Format, placeOf } from './report.ts';

const LEVELS: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  information: 'note',
  hint: 'note',
};

export const sarifFormat: Format = (reports) => {
  const all = reports.flatMap(({ problems }) => problems);
  const ids = [...new Set(all.map(({ code }) => code))].sort();
  const rules = ids.map((id) => {
    const rule = ruleOf(id);
    // What is no rule of ours comes from ShellCheck, whose levels are those of its findings.
    const own = all.find(({ code }) => code === id)?.severity ?? 'error';
    return {
      id,
      name: id,
      shortDescription: { text: rule?.summary ?? id },
      ...(rule === undefined ? { helpUri: `https://www.shellcheck.net/wiki/${id}` } : {}),
      defaultConfiguration: { level: LEVELS[rule?.severity ?? own] },
      properties: { tags: rule?.aliases ?? [] },
    };
  });
  const results = reports.flatMap((report) => {
    const lines = new LineIndex(report.text);
    return report.problems.map((problem) =>
      resultOf(report, problem, { lines, index: ids.indexOf(problem.code) }),
    );
  });
  const driver = { name: 'pinnace', version: VERSION, rules };
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', results };
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [run],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
};

function resultOf(
  { path }: FileReport,
  problem: LintProblem,
  { lines, index }: { readonly lines: LineIndex; readonly index: number },
) {
  const { line, column, endLine, endColumn } = placeOf(problem);
  const artifactLocation = { uri: addressOf(path) };
  const region = { startLine: line, startColumn: column, endLine, endColumn };
  const { fix } = problem;
  return {
    ruleId: problem.code,
    ruleIndex: index,
    level: LEVELS[problem.severity],
    message: { text: problem.message },
    locations: [{ physicalLocation: { artifactLocation, region } }],
    ...(fix === undefined ? {} : { fixes: [fixOf(fix, artifactLocation, lines)] }),
  };
}

function fixOf({ title, edits }: Fix, artifactLocation: { uri: string }, lines: LineIndex) {
  const replacements = edits.map(({ range, text }) => ({
    deletedRegion: regionOf(range, lines),
    insertedContent: { text },
  }));
  return { description: { text: title }, artifactChanges: [{ artifactLocation, replacements }] };
}

function regionOf(range: Range, lines: LineIndex) {
  const { start, end } = lines.span(range);
  return {
    startLine: start.line + 1,
    startColumn: start.character + 1,
    endLine: end.line + 1,
    endColumn: end.character + 1,
  };
}

/** A path as a relative URI. */
function addressOf(path: string): string {
  return path.split(/[\\/]/).map(encodeURIComponent).join('/');
}

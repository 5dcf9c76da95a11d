/**
 * Compares our verdict on snippets, right and wrong ones, with what the shells themselves said (`bash -n` 5.2 with
 * extglob, `dash -n` 0.5.12): testdata/verdicts.jsonl has a line `[bash, dash, snippet]` for each, 1 for accepted.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseDockerfile } from '../parse.ts';
import { lintDockerfile } from '../lint/lint.ts';
import { readShellText, type ShellProblem } from './read.ts';

type Row = readonly [bash: 0 | 1, dash: 0 | 1, snippet: string];

const ROWS = readFileSync(new URL('testdata/verdicts.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

/** What a shell only says when the line runs, and we say at once. */
function isLate({ code, message }: ShellProblem, snippet: string): boolean {
  if (/^(bad-substitution|bad-arithmetic|unterminated-heredoc)$/.test(code)) return true;
  if (message.endsWith('that is no name')) return true;
  // The body of a heredoc is expanded when it is needed.
  return snippet.includes('<<E\n') && /^this ('.*'|backtick)/.test(message);
}

function accepts(snippet: string, dialect: 'bash' | 'sh'): boolean {
  const { problems } = readShellText(`${snippet}\n`, dialect);
  return problems.every((problem) => isLate(problem, snippet));
}

/** What sh rejects and bash has a meaning for is told by rules of its own. */
function isForBash(snippet: string): boolean {
  const file = parseDockerfile(`FROM debian:12\nRUN <<'END_OF_RUN'\n${snippet}\nEND_OF_RUN\n`);
  return lintDockerfile(file).problems.some(
    ({ code }) => code === 'PosixShell' || code === 'DollarLoopVariable',
  );
}

/** The snippets that we judge otherwise, one a line. */
function differences(): string {
  const lines: string[] = [];
  for (const [bash, dash, snippet] of ROWS) {
    const say = (shell: string, verdict: 0 | 1): void => {
      const real = verdict === 1 ? 'accepts' : 'rejects';
      lines.push(`${shell} ${real} ${JSON.stringify(snippet)}`);
    };
    if (accepts(snippet, 'bash') !== (bash === 1)) say('bash', bash);
    // `[[` and the like are plain words to dash, which reads what follows in its own way.
    if (isForBash(snippet) || /\btime\b|\bfunction\b|\$\{\w*\[/.test(snippet)) continue;
    if (accepts(snippet, 'sh') !== (dash === 1)) say('dash', dash);
  }
  return `${lines.join('\n')}\n`;
}

test('snippets are accepted and rejected as bash and dash do, but for those that are listed', () => {
  const golden = new URL('testdata/verdicts.golden', import.meta.url);
  const found = differences();
  if (process.env['UPDATE'] === '1') writeFileSync(golden, found);
  assert.equal(found, readFileSync(golden, 'utf8'));
  assert.ok(
    found.split('\n').length < ROWS.length / 40,
    'more than one of forty is judged otherwise',
  );
});

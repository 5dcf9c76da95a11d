/**
 * Compares the rules that read shell scripts with ShellCheck 0.9: testdata/shellcheck.jsonl has a line
 * `[shell, script, findings]` for each script, with the codes that our rules have among their names and their places.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseDockerfile } from '../parse.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from './lint.ts';
import { ruleOf, rulesNamed } from './table.ts';

type Row = readonly [shell: 'sh' | 'bash', script: string, findings: string];

const DATA = new URL('testdata/', import.meta.url);
const ROWS = readFileSync(new URL('shellcheck.jsonl', DATA), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

/** The codes that say no more than that a script cannot be read. */
const VAGUE = new Set(['SC1009', 'SC1072', 'SC1073']);

interface Found {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
}

/** What our rules with a ShellCheck number find, in offsets of the script. */
function ours([shell, script]: Row): Found[] {
  const head = `FROM debian:12\n${shell === 'bash' ? 'SHELL ["/bin/bash", "-c"]\n' : ''}RUN <<'END'\n`;
  const file = parseDockerfile(`${head}${script}\nEND\n`);
  const severities = new Map([['SourceNotFollowed', 'information'] as const]);
  return lintDockerfile(file, { ...DEFAULT_OPTIONS, severities })
    .problems.filter(({ code }) =>
      ruleOf(code)?.aliases.some((name) => name.startsWith('SC') && !VAGUE.has(name)),
    )
    .map(({ code, range: { start, end } }) => ({
      rule: code,
      start: start.offset - head.length,
      end: end.offset - head.length,
    }));
}

function theirs([, , findings]: Row): Found[] {
  return findings.split(' ').flatMap((finding) => {
    const [code = '', at = ''] = finding.split('@');
    return rulesNamed(code)
      .slice(0, 1)
      .map(({ id }) => ({ rule: id, start: Number(at), end: Number(at) }));
  });
}

function compare(row: Row): { agreed: number; differences: string[] } {
  const left = ours(row);
  const used = new Set<Found>();
  const differences: string[] = [];
  const [shell, script] = row;
  let agreed = 0;
  const tell = (who: string, { rule, start }: Found): void =>
    void differences.push(`${who} ${rule}@${String(start)} ${shell} ${JSON.stringify(script)}`);
  for (const their of theirs(row)) {
    // Of two of theirs at one place, or at both ends of one of ours, ours is the same.
    const alike = left.filter(({ rule }) => rule === their.rule);
    const same =
      alike.find(({ start }) => start === their.start) ??
      alike.find(({ start, end }) => start < their.start && their.start <= end);
    if (same === undefined) tell('only-shellcheck', their);
    else {
      used.add(same);
      agreed++;
    }
  }
  for (const our of left) if (!used.has(our)) tell('only-ours', our);
  return { agreed, differences };
}

test('scripts have the findings of ShellCheck at its places, but for those that are listed', () => {
  const golden = new URL('shellcheck.golden', DATA);
  const all = ROWS.map(compare);
  const differences = all.flatMap((each) => each.differences);
  const agreed = all.reduce((sum, each) => sum + each.agreed, 0);
  const text = `${differences.join('\n')}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'));
  assert.ok(differences.length * 15 < agreed, `${String(differences.length)} of ${String(agreed)}`);
});

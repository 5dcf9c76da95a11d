/**
 * Tests of the reading of arithmetic. Verdicts are compared with the shells' own, with bash 5.2, dash 0.5.12 and BusyBox
 * 1.35: testdata/arithmetic.jsonl has a line `[bash, dash, busybox, expression]` for each, 1 where `$((expression))` ran.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { lintDockerfile } from '../../lint/lint.ts';
import { parseDockerfile } from '../../parse.ts';
import { SourceText } from '../../source.ts';
import { readShell, readShellText } from '../read.ts';
import type { ArithmeticToken } from '../syntax.ts';
import { visitShell } from '../walk.ts';

type Row = readonly [bash: 0 | 1, dash: 0 | 1, busybox: 0 | 1, expression: string];

const ROWS = readFileSync(new URL('../testdata/arithmetic.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

function tokensOf(text: string, dialect: 'bash' | 'sh' = 'bash'): ArithmeticToken[] {
  const found: ArithmeticToken[] = [];
  visitShell(readShellText(text, dialect), {
    part: (part) => {
      if (part.kind === 'arithmetic') found.push(...part.tokens);
    },
  });
  return found;
}

/** Names with what is done to them: `a:both`. */
function namesOf(text: string): string {
  return tokensOf(text)
    .flatMap((token) => (token.kind === 'name' ? [`${token.text}:${token.access}`] : []))
    .join(' ');
}

/** Where we judge otherwise than bash, and why. */
const BASH: Readonly<Record<string, string>> = {
  'a[]': 'an empty key',
  '0x': 'bash takes it for 0',
  '10#': 'the digits are missing, which later versions of bash reject',
  '16#': 'the same',
  '$a $b': 'the second might begin with an operator',
  '${a}[0]': 'the value might be a name',
  '$a ? $b': 'the second might hold a colon',
  '$a++': 'the value might be a name',
};

/** What bash takes, dash or BusyBox rejects, and nobody writes: no rule tells it. */
const UNTOLD = /^\s*$|^"[^$]*"$|^a \? b (\?|=)/;

/** dash takes `++a` for two signs; that is told, since nothing is set. */
const SIGNS = /(\+\+|--)\s*a|a\s*(\+\+|--)/;

test('expressions are accepted and rejected as bash does', () => {
  const faults: string[] = [];
  for (const [bash, , , expression] of ROWS) {
    if (expression in BASH) continue;
    const accepts = readShellText(`: $((${expression}))\n`, 'bash').problems.length === 0;
    if (accepts !== (bash === 1))
      faults.push(`${accepts ? 'accepted' : 'rejected'}: ${expression}`);
  }
  assert.deepEqual(faults, []);
});

for (const [shell, image] of [
  ['dash', 'debian:12'],
  ['busybox', 'alpine:3.20'],
] as const) {
  test(`what ${shell} rejects is an error, or told as a feature of bash`, () => {
    const faults: string[] = [];
    for (const [bash, dash, busybox, expression] of ROWS) {
      const text = `FROM ${image}\nRUN <<'END'\n: $((${expression}))\nEND\n`;
      const found = lintDockerfile(parseDockerfile(text)).problems;
      const accepts = !found.some(({ code }) =>
        ['ShellSyntax', 'PosixShell', 'UnclosedQuote'].includes(code),
      );
      const real = shell === 'dash' ? dash : busybox;
      if (expression in BASH || UNTOLD.test(expression)) continue;
      if (accepts && real === 0) faults.push(`accepted: ${expression}`);
      if (!accepts && real === 1 && bash === 1 && !SIGNS.test(expression))
        faults.push(`rejected: ${expression}`);
    }
    assert.deepEqual(faults, []);
  });
}

test('names are read, set, or both', () => {
  for (const [text, names] of [
    ['((a + b))', 'a:read b:read'],
    ['((a = b))', 'a:write b:read'],
    ['((a += b, c++, --d))', 'a:both b:read c:both d:both'],
    ['((a == b))', 'a:read b:read'],
    ['((a <= b))', 'a:read b:read'],
    ['((a <<= b))', 'a:both b:read'],
    ['((a[i + 1] = b))', 'a:write i:index b:read'],
    ['((a[i]++))', 'a:both i:index'],
    ['x=$((a * 0x1f + 16#ff))', 'a:read'],
    ['x=$((10#$month + y))', 'y:read'],
    ['x=$((a$i + $b))', ''],
    ['for ((i = 0; i < n; i++)); do x; done', 'i:write i:read n:read i:both'],
    ['x=$(( $(echo a) + b ))', 'b:read'],
    ['x="$((a ? b : c))"', 'a:read b:read c:read'],
    ['cat <<E\n$((a))\nE', 'a:read'],
    ['x=$((a \\\n + b))', 'a:read b:read'],
  ] as const)
    assert.equal(namesOf(text), names, text);
});

test('tokens have their places in the file, through continuations', () => {
  const text = 'x=$((foo + bar))';
  const source = new SourceText(text, [
    { index: 0, offset: 0 },
    { index: 7, offset: 27 },
  ]);
  const found: string[] = [];
  visitShell(readShell(source, 'sh'), {
    part: (part) => {
      if (part.kind !== 'arithmetic') return;
      for (const { text: token, range } of part.tokens)
        found.push(`${token} ${String(range.start)}-${String(range.end)}`);
    },
  });
  assert.deepEqual(found, ['$(( 2-5', 'foo 5-28', '+ 29-30', 'bar 31-34', ')) 34-36']);
});

test('faults are told where they are', () => {
  for (const [text, message] of [
    ['x=$((1 +))', "'+' has nothing behind it"],
    ['x=$(($a *))', "'*' has nothing behind it"],
    ['x=$((a b))', "'b' cannot stand here in arithmetic"],
    ['x=$((08))', "'08' is no number"],
    ['x=$((5 = a))', "'=' sets a variable, and before it is none"],
    ['x=$((a ? b))', "this '?' has no ':'"],
    ['((a[1))', "this '[' has no ']'"],
    ['for ((i = ; i < 3; i++)); do a; done', "'=' has nothing behind it"],
  ] as const)
    assert.deepEqual(
      readShellText(text, 'bash').problems.map(({ code, message: said }) => [code, said]),
      [['bad-arithmetic', message]],
      text,
    );
});

test('what dash takes for subshells is not judged as arithmetic', () => {
  assert.deepEqual(readShellText('((cd a && make))', 'sh').problems, []);
  assert.equal(readShellText('((cd a && make))', 'bash').problems.length, 1);
});

const PIECES = ['a', ' ', '1', '08', '+', '++', '(', ')', '[', ']', '?', ':', ',', '=', '$x', '"'];

test('no expression makes the reading throw; tokens are in order and have the text of their range', () => {
  const texts = fc.array(
    fc.constantFrom(...PIECES, ';', '**', '`b`', '\\\n', "'", '😀', '#', '~'),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(texts, (pieces) => {
      const text = `((${pieces.join('')}))`;
      let end = 0;
      for (const { text: own, range } of tokensOf(text)) {
        assert.ok(range.start >= end);
        assert.equal(text.slice(range.start, range.end), own);
        end = range.end;
      }
    }),
    { numRuns: 3000 },
  );
});

test('long and deep expressions are read in a moment', () => {
  for (const unit of ['(', '-', 'a=', 'a?', '2**', 'a[', '!', '1+', 'a,', 'a ', '$a', 'a[1]+'])
    for (const around of ['x=$((', '((']) {
      const started = performance.now();
      readShellText(`${around}${unit.repeat(19_000 / unit.length)}1))`, 'bash');
      const took = performance.now() - started;
      assert.ok(took < 500, `${unit}: ${String(took)} ms`);
    }
});

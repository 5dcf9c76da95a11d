/** Tests of edits, and properties of linting and fixing: no text makes them throw, every place is in the text. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { linesAround } from '../../text/lines.ts';
import { parseDockerfile } from '../parse.ts';
import {
  applyEdits,
  compatibleFixes,
  insert,
  remove,
  removeWord,
  replace,
  suggestedFix,
} from './edits.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from './lint.ts';
import type { LintOptions } from './rule.ts';
import { RULES } from './table.ts';

test('edits are applied in the order of the text; one that overlaps another is left out', () => {
  const edits = [
    replace({ start: 2, end: 4 }, 'X'),
    insert(0, '>'),
    remove({ start: 3, end: 5 }),
    insert(6, '<'),
  ];
  assert.equal(applyEdits('abcdef', edits), '>abXef<');
});

test('a word is removed with its white space, at the end of a line too', () => {
  const file = parseDockerfile('RUN a  b\n');
  assert.equal(applyEdits(file.text, [removeWord(file, { start: 4, end: 5 })]), 'RUN b\n');
  assert.equal(applyEdits(file.text, [removeWord(file, { start: 7, end: 8 })]), 'RUN a\n');
});

test('whole lines take their line break with them', () => {
  const file = parseDockerfile('A\nB\nC');
  assert.deepEqual(linesAround(file.text, { start: 2, end: 3 }), { start: 2, end: 4 });
  assert.deepEqual(linesAround(file.text, { start: 4, end: 5 }), { start: 4, end: 5 });
});

test('of fixes that touch, the first is taken', () => {
  const problem = (start: number, end: number) => {
    const position = { offset: start, line: 0, character: start };
    const fix = suggestedFix('x', replace({ start, end }, 'y'));
    return {
      code: 'X',
      message: '',
      severity: 'hint',
      range: { start: position, end: position },
      fix,
    } as const;
  };
  const fixes = compatibleFixes(
    [problem(4, 6), problem(0, 2), problem(2, 3), problem(7, 8)],
    ['suggestion'],
  );
  assert.deepEqual(
    fixes.map(({ edits }) => edits[0]?.range.start),
    [0, 4, 7],
  );
  assert.deepEqual(compatibleFixes([problem(0, 1)], ['safe']), []);
});

/** Every rule on, also the optional ones, with a schema and a context. */
const ALL_ON: LintOptions = {
  ...DEFAULT_OPTIONS,
  severities: new Map(RULES.map(({ id, severity }) => [id, severity])),
  trustedRegistries: ['docker.io'],
  labelSchema: new Map([
    ['a', 'semver'],
    ['b', 'spdx'],
    ['c', 'email'],
    ['d', 'rfc3339'],
    ['e', 'url'],
    ['f', 'hash'],
  ] as const),
  strictLabels: true,
  context: { source: (path) => (path.length % 2 === 0 ? 'absent' : 'ignored') },
  images: {
    environment: () => ['A'],
    platform: () => 'linux/s390x',
    user: () => 'sailor',
    shell: () => ['/bin/bash', '-c'],
  },
};

const PAGES = new URL('../../../../docs/rules/', import.meta.url);

/** The examples of all pages: a stock of texts with something to find in them. */
const EXAMPLES = readdirSync(PAGES).flatMap((name) =>
  [...readFileSync(new URL(name, PAGES), 'utf8').matchAll(/```dockerfile\n([\s\S]*?)\n```/g)].map(
    ([, text]) => text ?? '',
  ),
);

function check(text: string): void {
  const { problems } = lintDockerfile(parseDockerfile(text), ALL_ON);
  let last = 0;
  for (const { range, fix, message } of problems) {
    const { start, end } = range;
    assert.ok(
      start.offset >= last && end.offset >= start.offset && end.offset <= text.length,
      message,
    );
    last = start.offset;
    assert.ok(message !== '' && !/[\r\n]/.test(message) && message.length <= 501, message);
    for (const edit of fix?.edits ?? []) {
      assert.ok(
        edit.range.start >= 0 &&
          edit.range.end >= edit.range.start &&
          edit.range.end <= text.length,
        message,
      );
    }
    if (fix !== undefined) parseDockerfile(applyEdits(text, fix.edits));
  }
}

test('a message that quotes several lines is one line, and not as long as the file', () => {
  check('FROM a\nRUN <<E\nb ${c\nd}\nE\n');
  check(`FROM ${'A'.repeat(5000)}\n`);
});

test('no joining, cutting and mixing of the examples makes the linter throw or point outside the text', () => {
  const example = fc.constantFrom(...EXAMPLES);
  const piece = fc
    .tuple(example, fc.nat(200), fc.nat(200))
    .map(([text, a, b]) => text.slice(Math.min(a, b), Math.max(a, b)));
  const joined = fc.array(
    fc.oneof(
      example,
      piece,
      fc.constantFrom(
        '\n',
        '\r\n',
        ' \\\n',
        '"',
        "'",
        '$',
        '${',
        '`',
        '\u00a0',
        '#',
        '<<E\n',
        '\ufeff',
      ),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(joined, (parts) => check(parts.join(''))),
    { numRuns: 400 },
  );
});

test('no text at all makes the linter throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) =>
      check(`FROM a\nRUN ${text}`),
    ),
    { numRuns: 200 },
  );
});

test('every example with Windows line ends has the findings of the plain one', () => {
  for (const text of EXAMPLES) {
    const codes = (each: string) =>
      lintDockerfile(parseDockerfile(each)).problems.map(({ code }) => code);
    assert.deepEqual(codes(text.replaceAll('\n', '\r\n')), codes(text), text);
  }
});

test('every example continued by backticks has the findings of the plain one', () => {
  const plain = EXAMPLES.filter((text) => !/`|^\s*#\s*(?:escape|syntax|check)\s*=/im.test(text));
  assert.ok(plain.length > 200);
  for (const example of plain) {
    if (/\\\n/.test(example) && example.includes('<<')) continue;
    // There are images of these for Windows too.
    const text = example.replaceAll(/\b(?:golang|python):/g, 'debian:');
    const codes = (each: string) =>
      lintDockerfile(parseDockerfile(each)).problems.map(({ code }) => code);
    const ticked = `# escape=\`\n${text.replaceAll(/\\(?=[ \t]*\n)/g, '`')}`;
    assert.deepEqual(codes(ticked), codes(text), text);
  }
});

/** Scripts that would cost much if what is asked of one part were looked for in all of them. */
const COSTLY: readonly ((number: number) => string)[] = [
  () => 'time ',
  () => 'sudo ',
  () => 'a && b || c; ',
  () => 'cd a; ',
  () => 'echo $UID; ',
  () => 'f() { f; f; }; f; ',
  (number) => `f${String(number)}() { f${String(number + 1)}; }; `,
  (number) => `v${String(number)}=1; echo $v${String(number)}; `,
  (number) => `echo $v${String(number)}a; `,
];

test('the time for a long script grows with its length only', () => {
  const measure = (piece: (number: number) => string, length: number): number => {
    const parts: string[] = [];
    for (let number = 0, size = 0; size < length; number++) {
      const part = piece(number);
      parts.push(part);
      size += part.length;
    }
    const file = parseDockerfile(`FROM debian:12\nRUN <<'E'\n${parts.join('')}\nE\n`);
    const before = process.cpuUsage();
    lintDockerfile(file);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  for (const piece of COSTLY) {
    measure(piece, 5000);
    const [short, long] = [measure(piece, 20_000), measure(piece, 160_000)];
    const words = `${piece(0)}: ${short.toFixed(0)} ms, eight times as long: ${long.toFixed(0)} ms`;
    // Eight times the length: sixty-four times the time, were it quadratic.
    assert.ok(long < 24 * short + 500, words);
  }
});

/** Tests of the parser: golden files (UPDATE=1 rewrites them), and properties that hold for every text. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Dockerfile, type Instruction, parseDockerfile } from './parse.ts';
import { cpuTime } from './testdata/cpu-time.ts';
import { printDockerfile } from './testdata/print.ts';

const DATA = new URL('testdata/', import.meta.url);

function check(name: string): void {
  const printed = printDockerfile(parseDockerfile(readFileSync(new URL(name, DATA), 'utf8')));
  const golden = new URL(name.replace(/\.dockerfile$/, '.golden'), DATA);
  if (process.env['UPDATE'] === '1') writeFileSync(golden, printed);
  assert.equal(printed, readFileSync(golden, 'utf8'));
}

for (const name of readdirSync(DATA).filter((file) => file.endsWith('.dockerfile'))) {
  test(`${name} parses to its golden tree`, () => check(name));
}

test('every byte that is not white space belongs to an instruction, a comment or a directive', () => {
  for (const name of readdirSync(DATA).filter((file) => file.endsWith('.dockerfile'))) {
    assertCovered(parseDockerfile(readFileSync(new URL(name, DATA), 'utf8')));
  }
});

const PIECES = [
  'FROM ',
  'RUN ',
  'COPY ',
  'ADD ',
  'ENV ',
  'ARG ',
  'LABEL ',
  'HEALTHCHECK ',
  'ONBUILD ',
  'SHELL ',
  'VOLUME ',
  'CMD ',
  'x',
  ' ',
  '\n',
  '\r\n',
  '\\\n',
  '`\n',
  '\\',
  '#',
  '# escape=`\n',
  '# syntax=a\n',
  '<<E',
  '<<-"E"',
  '\nE\n',
  '\t',
  '["a"]',
  '[',
  '"',
  "'",
  '=',
  '--from=x ',
  '--mount=type=cache,',
  '--',
  '$x',
  '${x',
  '}',
  ',',
  '😀',
  '\uFEFF',
  '\u0085',
] as const;

const texts = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 60 })
  .map((parts) => parts.join(''));

test('no text makes the parser throw, and its ranges lie in the text and cover it', () => {
  fc.assert(
    fc.property(fc.oneof(texts, fc.string({ unit: 'binary' })), (text) => {
      const file = parseDockerfile(text);
      assertCovered(file);
      for (const instruction of file.instructions) assertNested(instruction, text);
      for (const { range } of file.problems) {
        assert.ok(range.start.offset <= range.end.offset && range.end.offset <= text.length);
      }
    }),
    { numRuns: 5000 },
  );
});

test('a word that stands in the file in one piece has the text of its range', () => {
  fc.assert(
    fc.property(texts, (text) => {
      for (const { keyword, argument } of parseDockerfile(text).instructions) {
        for (const { range, breaks, text: words } of [keyword, argument]) {
          if (breaks.length === 0) assert.equal(text.slice(range.start, range.end), words);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('five megabytes parse in less than a second, whatever they hold', () => {
  const lines = [
    'RUN apt-get update && apt-get install -y build-essential # and more of it\n',
    'ENV NAME="some value" OTHER=value \\\n    THIRD=another-value-that-is-longer\n',
    'COPY --from=build --chown=node:node /app/some/where /app/some/where/else/\n',
    'RUN '.padEnd(5_000_000, 'a '),
    'RUN a'.padEnd(5_000_000, ' \\\n'),
    '# comment\n',
    'FROM a\nRUN <<EOF\n'.padEnd(5_000_000, '<<EOF\n'),
  ];
  parseDockerfile('FROM a\n'.repeat(1000));
  for (const line of lines) {
    const text = line.repeat(Math.ceil(5_000_000 / line.length));
    const took = cpuTime(() => void parseDockerfile(text), 3);
    assert.ok(took < 1000, `${JSON.stringify(line.slice(0, 30))} took ${took.toFixed()} ms`);
  }
});

function assertCovered(file: Dockerfile): void {
  const { syntax, escape, check: checks } = file.directives;
  const ranges = [...file.instructions, ...file.comments, syntax, escape, checks]
    .flatMap((item) => item?.range ?? [])
    .concat(
      file.problems.map(({ range }) => ({ start: range.start.offset, end: range.end.offset })),
    )
    .sort((a, b) => a.start - b.start);
  let at = 0;
  for (const { start, end } of ranges) {
    if (start > at) assertBlank(file.text.slice(at, start));
    at = Math.max(at, end);
  }
  assertBlank(file.text.slice(at));
}

function assertBlank(text: string): void {
  assert.match(text, /^[\s\u0085]*$/, `not covered: ${JSON.stringify(text)}`);
}

function assertNested(outer: Instruction, text: string): void {
  const { range, keyword, argument } = outer;
  assert.ok(range.start >= 0 && range.end <= text.length && range.start <= range.end);
  for (const inner of [keyword.range, argument.range, ...outer.flags.map((flag) => flag.range)]) {
    assert.ok(
      inner.start >= range.start && inner.end <= range.end,
      JSON.stringify({ range, inner }),
    );
  }
  if (outer.kind === 'ONBUILD' && outer.instruction) assertNested(outer.instruction, text);
}

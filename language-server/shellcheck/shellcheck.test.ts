/** Tests of what ShellCheck is given, how its places are found in the file, and how its findings join ours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  readConfiguration,
  withConfiguration,
} from '../../src/lib/dockerfile/lint/config/hadolint.ts';
import { applyEdits } from '../../src/lib/dockerfile/lint/edits.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from '../../src/lib/dockerfile/lint/lint.ts';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import { Variables } from '../../src/lib/dockerfile/scope/variables.ts';
import { scriptsOf } from '../../src/lib/dockerfile/shell/scripts.ts';
import { carryOver } from './carry.ts';
import { type Comment, readComments } from '../../src/client/lint/shellcheck/comments.ts';
import { type Input, inputsOf, Places } from '../../src/client/lint/shellcheck/input.ts';
import { findingsAmong, joinProblems } from '../../src/client/lint/shellcheck/merge.ts';

function inputs(text: string): readonly Input[] {
  const file = parseDockerfile(text);
  return inputsOf(scriptsOf(file), new Variables(file));
}

/** A comment on the first occurrence of a word in the one script of a file. */
function commentOn(input: Input, word: string, more: Partial<Comment> = {}): Comment {
  const at = input.text.indexOf(word, input.text.indexOf('\n'));
  const before = input.text.slice(0, at).split('\n');
  const line = before.length;
  const column = Array.from(before.at(-1) ?? '').length + 1;
  const start = { line, column };
  const end = { line, column: column + Array.from(word).length };
  return { start, end, level: 'info', code: 'SC2999', message: 'm', fix: [], ...more };
}

test("a script is given with its dialect, the build's variables and the options of its shell", () => {
  const text =
    'ARG A\nFROM a\nARG B=1\nENV C=2\nRUN x\nSHELL ["/bin/bash", "-ec"]\nRUN y\nCMD ["z"]\nRUN <<E\n#!/bin/ksh\nq\nE\n';
  assert.deepEqual(
    inputs(text).map(({ dialect, text: given }) => [dialect, given]),
    [
      ['sh', 'export B C;:\nx'],
      ['bash', 'export B C;set -e\ny'],
      ['ksh', 'export B C;:\n#!/bin/ksh\nq\n'],
    ],
  );
});

test('what is no shell of its kinds, has a mistake, is empty or too long is not given', () => {
  const long = 'x '.repeat(40_000);
  const text = `FROM a\nRUN <<E\n#!/usr/bin/python3\nE\nRUN if x\nRUN ${long}\nSHELL ["zsh", "-c"]\nRUN x\nSHELL ["pwsh"]\nRUN x\n`;
  assert.deepEqual(inputs(text), []);
  assert.equal(inputs(`FROM a\n${'RUN x\n'.repeat(500)}`).length, 100);
});

/** The file, and the word whose place is looked for. */
const PLACES: readonly (readonly [string, string])[] = [
  ['FROM a\nRUN a \\\n  # why\n  b $c\n', '$c'],
  ['FROM a\nRUN échö 😀 $c\n', '$c'],
  ['FROM a\r\nRUN a && \\\r\n\tb\t$c\r\n', '$c'],
  ['FROM a\nRUN <<E\na\n\tb $c\nE\n', '$c'],
  ['FROM a\nRUN <<-E\n\ta\n\t\tb $c\nE\n', '$c'],
  ['FROM a\nRUN cat <<E | d\n $c\nE\n', '$c'],
  ['# escape=`\nFROM debian\nONBUILD RUN a `\n b $c\n', '$c'],
];

for (const [text, word] of PLACES) {
  test(`a place is found in ${JSON.stringify(text)}`, () => {
    const [input] = inputs(text);
    assert.ok(input !== undefined);
    const { start, end } = commentOn(input, word);
    const at = text.indexOf(word);
    assert.deepEqual(new Places(input).range(start, end), { start: at, end: at + word.length });
  });
}

test('places outside of the script are none', () => {
  const [input] = inputs('FROM a\nRUN x\n');
  assert.ok(input !== undefined);
  const places = new Places(input);
  for (const line of [-1, 0, 1, 3, 9e9])
    assert.equal(places.range({ line, column: 1 }, { line, column: 2 }), undefined);
  assert.equal(places.range({ line: 2, column: 0 }, { line: 2, column: 1 }), undefined);
  assert.deepEqual(places.range({ line: 2, column: 1 }, { line: 2, column: 9e6 }), {
    start: 11,
    end: 12,
  });
});

interface Case {
  readonly text: string;
  readonly word: string;
  readonly more?: Partial<Comment>;
  readonly configuration?: string;
}

function merged({ text, word, more, configuration = '' }: Case) {
  const file = parseDockerfile(text);
  const options = withConfiguration(DEFAULT_OPTIONS, readConfiguration(configuration));
  const [input] = inputs(text);
  assert.ok(input !== undefined);
  const findings = [{ input, comments: [commentOn(input, word, more)] }];
  const own = lintDockerfile(file, options).problems;
  const all = joinProblems(own, findingsAmong(own, findings, { file, options }));
  return { own, added: all.filter((each) => !own.includes(each)), all };
}

test('a finding joins ours at its place, in the order of the file', () => {
  const { added, all } = merged({ text: 'FROM a\nRUN sudo x \\\n  && y z\nCMD q\n', word: 'y z' });
  assert.deepEqual(
    added.map(({ code, severity, range }) => [
      code,
      severity,
      range.start.line,
      range.end.character,
    ]),
    [['SC2999', 'information', 2, 8]],
  );
  const offsets = all.map(({ range }) => range.start.offset);
  assert.deepEqual(
    offsets,
    [...offsets].sort((a, b) => a - b),
  );
});

test('what one of our rules has found there is not said twice', () => {
  const text = 'FROM a:1\nRUN rm $x $y\n';
  const { own } = merged({ text, word: '$y', more: { code: 'SC2086' } });
  assert.ok(own.length >= 2);
  assert.deepEqual(merged({ text, word: '$y', more: { code: 'SC2086' } }).added, []);
  assert.equal(merged({ text, word: 'rm', more: { code: 'SC2086' } }).added.length, 1);
});

const UNWANTED: readonly Case[] = [
  { text: 'FROM a:1\n# hadolint ignore=SC2999\nRUN x\n', word: 'x' },
  { text: 'FROM a:1\n# shellcheck disable=sc2999\nRUN x\n', word: 'x' },
  { text: '# hadolint global ignore=SC2999\nFROM a:1\nRUN x\n', word: 'x' },
  { text: '# check=skip=all\nFROM a:1\nRUN x\n', word: 'x' },
  { text: '# check=skip=all\nFROM a:1\nRUN x\n', word: 'x', more: { code: 'SC2086' } },
  { text: 'FROM a:1\nRUN x\n', word: 'x', configuration: 'ignored: [SC2999]' },
  {
    text: 'FROM a:1\nRUN x\n',
    word: 'x',
    more: { code: 'SC2086' },
    configuration: 'ignored: [SC2086]',
  },
];

for (const each of UNWANTED) {
  test(`a finding that is not wanted is left out: ${JSON.stringify(each)}`, () => {
    assert.deepEqual(merged(each).added, []);
  });
}

test('a configuration gives a number of ShellCheck another level', () => {
  const configuration = 'override:\n  error: [SC2999]\n';
  const { added } = merged({ text: 'FROM a:1\nRUN x\n', word: 'x', configuration });
  assert.equal(added[0]?.severity, 'error');
});

test('a fix is applied through continuations', () => {
  const text = 'FROM a:1\nRUN x \\\n  # why\n  $é\n';
  const [input] = inputs(text);
  assert.ok(input !== undefined);
  const { start, end } = commentOn(input, '$é');
  const fix = [
    { start, end: start, text: '"', side: 'opening' },
    { start: end, end, text: '"', side: 'closing' },
  ] as const;
  const { added } = merged({ text, word: '$é', more: { fix } });
  assert.equal(added[0]?.fix?.safety, 'suggestion');
  assert.equal(applyEdits(text, added[0].fix.edits), 'FROM a:1\nRUN x \\\n  # why\n  "$é"\n');
});

test('an answer that is none gives nothing', () => {
  for (const output of ['', '[]', 'null', '{"comments":1}', '{"comments":'])
    assert.equal(readComments(output), undefined);
  const bad = [null, 1, {}, { code: 'x' }, { code: 2086, message: 'm', level: 'info', line: '1' }];
  assert.deepEqual(readComments(JSON.stringify({ comments: bad })), []);
});

/** What is typed (between the marks, in place of `…`) into a text, and where the finding on `$c` is then. */
const EDITS: readonly (readonly [string, string, number | undefined])[] = [
  ['FROM a:1\n¦…¦RUN x $c\n', '# more\n', 22],
  ['FROM a:1\nRUN x $c¦ y¦\n', '', 15],
  ['FROM a:1\nRUN ¦x¦ $c\n', 'long', 18],
  ['FROM a:1\nRUN x $¦c¦\n', 'd', undefined],
  ['FROM a:1\n¦RUN x $c\n¦', '', undefined],
];

for (const [marked, put, expected] of EDITS) {
  test(`a finding moves with the text: ${JSON.stringify([marked, put])}`, () => {
    const [head = '', old = '', tail = ''] = marked.split('¦');
    const before = head + old.replace('…', '') + tail;
    const { added } = merged({ text: before, word: '$c' });
    const file = parseDockerfile(head + put + tail);
    const carried = carryOver(added, before, file);
    assert.deepEqual(
      carried.map(({ range }) => range.start.offset),
      expected === undefined ? [] : [expected],
    );
    for (const { range } of carried)
      assert.equal(file.text.slice(range.start.offset, range.end.offset), '$c');
  });
}

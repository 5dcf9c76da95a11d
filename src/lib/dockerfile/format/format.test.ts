/** Tests of the formatter: golden files (UPDATE=1 rewrites them), options, and what must hold for every text. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDockerfile } from '../parse.ts';
import { scriptsOf } from '../shell/scripts.ts';
import { commandsOf } from '../shell/walk.ts';
import { applyEdits, formatDockerfile, FormatMemory, type FormatOptions } from './format.ts';
import { meaningOf } from './meaning.ts';

const DATA = new URL('testdata/', import.meta.url);
const PARSED = new URL('../testdata/', import.meta.url);
const read = (base: URL): string[] =>
  readdirSync(base)
    .filter((file) => file.endsWith('.dockerfile'))
    .map((name) => readFileSync(new URL(name, base), 'utf8'));
const FILES = [...read(DATA), ...read(PARSED)];

function format(text: string, options: Partial<FormatOptions> = {}): string {
  return applyEdits(text, formatDockerfile(parseDockerfile(text), options));
}

for (const name of readdirSync(DATA).filter((file) => file.endsWith('.dockerfile'))) {
  test(`${name} is formatted as its golden file`, () => {
    const formatted = format(readFileSync(new URL(name, DATA), 'utf8'));
    const golden = new URL(name.replace(/\.dockerfile$/, '.golden'), DATA);
    if (process.env['UPDATE'] === '1') writeFileSync(golden, formatted);
    assert.equal(formatted, readFileSync(golden, 'utf8'));
  });
}

/** What the builder and the shells get to see, told without the formatter's own proof. */
function seen(text: string): unknown {
  const file = parseDockerfile(text);
  const shells = scriptsOf(file).map(({ script }) =>
    script === undefined || script.problems.length > 0
      ? script?.text
      : commandsOf(script).map(({ command, nameWord, arguments: words, previous, next }) => [
          command.assignments.map(({ name, value }) => [name, value.text]),
          command.redirects.map(({ operator, descriptor, target, heredoc }) => [
            operator,
            descriptor,
            target?.text,
            heredoc?.text,
          ]),
          [nameWord, ...words].map((word) => [word?.text, word?.value]),
          previous,
          next,
        ]),
  );
  const instructions = file.instructions.map((instruction) => {
    const heredocs =
      'heredocs' in instruction ? instruction.heredocs.map(({ content }) => content) : [];
    const pairs =
      'pairs' in instruction
        ? instruction.pairs.map(({ name, value }) => [name.text, value?.text])
        : [];
    const words = 'words' in instruction ? instruction.words.map(({ text: word }) => word) : [];
    const value = 'value' in instruction ? instruction.value.text : '';
    return [instruction.kind, heredocs, pairs, words, value];
  });
  return { shells, instructions, stages: file.stages.map(({ name }) => name) };
}

const PIECES = [
  ...[
    'FROM a\n',
    'from b  as c\n',
    'RUN x  &&  y\n',
    'COPY <<E /\nb  \nE\n',
    'ENV a=$b   c\n',
    '# c  \n',
  ],
  ...[
    '\n',
    '  ',
    '\n\n\n',
    ' \\\n',
    '\\\n',
    '`\n',
    '\r\n',
    'run ',
    'apt-get install \\\n a b \\\n c d\n',
  ],
  ...[
    '# escape=`\n',
    'CMD ["a" ,"b"]\n',
    '<<E',
    'E\n',
    '\\',
    '\uFEFF',
    'ARG a="b  c"\n',
    '--from=x  ',
    'x',
  ],
  ...[
    'HEALTHCHECK  --interval=3s  CMD  a\n',
    'WHAT  a\n',
    '\t',
    '\\ \n# c\n',
    '"',
    "'",
    '\u0085',
    '\r',
    ';',
  ],
  ...[
    'if a; \\\n then \\\nb; fi',
    '(',
    ')',
    '{ ',
    ' }',
    '|',
    '> ',
    '2',
    '#',
    '$(a \\\n b)',
    'ONBUILD ',
    'LABEL ',
  ],
  ...['case a in \\\n b) \\\n c;; \\\n esac', '=', 'SHELL ["pwsh"]\n', ',', '[', ']'],
] as const;

const texts = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 30 })
  .map((parts) => parts.join(''));
const edited = fc
  .record({
    text: fc.constantFrom(...FILES),
    at: fc.nat(),
    cut: fc.nat(20),
    put: fc.constantFrom(...PIECES),
  })
  .map(({ text, at, cut, put }) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + put + text.slice(from + cut);
  });
const options: fc.Arbitrary<Partial<FormatOptions>> = fc.record({
  indent: fc.constantFrom(0, 2, 4, 'tab' as const),
  keywordCase: fc.constantFrom('upper', 'lower', 'keep'),
  packages: fc.constantFrom('one-a-line', 'keep'),
  continuations: fc.constantFrom('space', 'column'),
  flags: fc.constantFrom('keep', 'ordered'),
  emptyLines: fc.nat(2),
  stages: fc.constantFrom('apart', 'keep'),
  trailingBlanks: fc.constantFrom('trim', 'keep'),
  finalNewline: fc.constantFrom('insert', 'keep'),
  finalEmptyLines: fc.constantFrom('trim', 'keep'),
});

test('what is formatted means the same to the builder and to every shell', () => {
  fc.assert(
    fc.property(fc.oneof(texts, edited), options, (text, chosen) => {
      assert.deepEqual(seen(format(text, chosen)), seen(text));
    }),
    { numRuns: 1500 },
  );
});

test('formatting what is formatted changes nothing', () => {
  fc.assert(
    fc.property(fc.oneof(texts, edited), options, (text, chosen) => {
      const once = format(text, chosen);
      assert.equal(format(once, chosen), once);
    }),
    { numRuns: 1500 },
  );
});

test('what is proved of instructions holds for the file, whatever is remembered of others', () => {
  const memory = new FormatMemory({ room: 20_000 });
  fc.assert(
    fc.property(fc.oneof(texts, edited), options, (text, chosen) => {
      const file = parseDockerfile(text);
      const edits = formatDockerfile(file, chosen);
      assert.deepEqual(meaningOf(parseDockerfile(applyEdits(text, edits))), meaningOf(file));
      assert.deepEqual(formatDockerfile(file, chosen, { memory }), edits);
      assert.deepEqual(formatDockerfile(file, chosen, { memory }), edits, 'a second time');
    }),
    { numRuns: 1500, seed: 1 },
  );
});

test('edits are small, in order and apart', () => {
  fc.assert(
    fc.property(fc.oneof(texts, edited), (text) => {
      let end = 0;
      for (const { range, text: put } of formatDockerfile(parseDockerfile(text))) {
        assert.ok(range.start >= end && range.end >= range.start);
        assert.notEqual(text.slice(range.start, range.end), put);
        end = range.end;
      }
    }),
    { numRuns: 1000 },
  );
});

test('a range formats only what it touches', () => {
  const text = 'from a\nrun  x\nrun  y\nrun  z\n';
  const at = text.indexOf('run  y');
  const edits = formatDockerfile(
    parseDockerfile(text),
    {},
    { range: { start: at + 2, end: at + 3 } },
  );
  assert.equal(applyEdits(text, edits), 'from a\nrun  x\nRUN y\nrun  z\n');
});

const OPTION_CASES: readonly {
  readonly name: string;
  readonly options: Partial<FormatOptions>;
  readonly text: string;
  readonly expected: string;
}[] = [
  {
    name: 'tabs',
    options: { indent: 'tab' },
    text: 'FROM a\nRUN b \\\n  && c\n',
    expected: 'FROM a\nRUN b \\\n\t&& c\n',
  },
  {
    name: 'lower case',
    options: { keywordCase: 'lower' },
    text: 'FROM a AS b\nONBUILD RUN x\nHEALTHCHECK CMD y\n',
    expected: 'from a as b\nonbuild run x\nhealthcheck cmd y\n',
  },
  {
    name: 'packages kept',
    options: { packages: 'keep' },
    text: 'FROM a\nRUN apt-get install \\\n a b\n',
    expected: 'FROM a\nRUN apt-get install \\\n    a b\n',
  },
  {
    name: 'continuations in a column',
    options: { continuations: 'column' },
    text: 'FROM a\nRUN x \\\n && yyyyyyyyyy \\\n && z\n',
    expected: 'FROM a\nRUN x             \\\n    && yyyyyyyyyy \\\n    && z\n',
  },
  {
    name: 'flags in order',
    options: { flags: 'ordered' },
    text: 'FROM a\nCOPY --from=x --link --chown=y a b\nHEALTHCHECK --retries=3 --interval=1s CMD x\n',
    expected:
      'FROM a\nCOPY --chown=y --link --from=x a b\nHEALTHCHECK --interval=1s --retries=3 CMD x\n',
  },
  {
    name: 'stages kept',
    options: { stages: 'keep', emptyLines: 0 },
    text: 'FROM a\n\n\nFROM b\nFROM c',
    expected: 'FROM a\nFROM b\nFROM c\n',
  },
  {
    name: 'blanks kept where nothing follows them',
    options: { trailingBlanks: 'keep' },
    text: '# c  \nfrom a  \n \t\n  run  b \t\nCOPY <<E /  \nx \nE\n \n ',
    expected: '# c  \nFROM a  \n \t\nRUN b \t\nCOPY <<E /  \nx \nE\n',
  },
  {
    name: 'no line break at the end',
    options: { finalNewline: 'keep' },
    text: 'FROM a\nrun  b  ',
    expected: 'FROM a\nRUN b',
  },
  {
    name: 'empty lines at the end kept',
    options: { finalEmptyLines: 'keep' },
    text: 'FROM a\nrun  b  \n \n\n\n',
    expected: 'FROM a\nRUN b\n\n\n\n',
  },
  {
    name: 'a file of empty lines kept',
    options: { finalEmptyLines: 'keep', trailingBlanks: 'keep' },
    text: ' \n\n  ',
    expected: ' \n\n  ',
  },
];

for (const { name, options: chosen, text, expected } of OPTION_CASES) {
  test(`option: ${name}`, () => assert.equal(format(text, chosen), expected));
}

const KEPT: readonly (readonly [string, string])[] = [
  ['a quoted string over two lines', 'FROM a\nRUN echo "a   \\\n        b"\n'],
  ['a word over two lines', 'FROM a\nRUN echo fo\\\no\n'],
  ['a command line with a mistake in it', 'FROM a\nRUN echo "a   b\n'],
  ['PowerShell', 'FROM a\nSHELL ["pwsh", "-c"]\nRUN  a   b\n'.replace('RUN  ', 'RUN ')],
  ['the value of the old form of ENV', 'FROM a\nENV a b   c\n'],
  ['a heredoc that never ends', 'FROM a\nRUN <<E\nx  '],
  ['an empty line before what would be a directive', '\n# escape=`\nFROM a\n'],
  ['a directive given twice', '# escape=`\n# escape=`\nFROM a\n'],
  ['a shell comment at the end', 'FROM a\nRUN a # b   c\n'],
  ['nothing at all', ''],
];

for (const [name, text] of KEPT) {
  test(`left as it is: ${name}`, () => assert.equal(format(text), text));
}

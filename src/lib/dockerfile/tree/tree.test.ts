/** Tests of the lossless tokens, the variable references and the incremental parse, on fixtures and on mutations. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDockerfile } from '../parse.ts';
import { DockerfileDocument } from './document.ts';
import { tokensOf } from './tokens.ts';
import { variablesOf, type VariableReference } from './variables.ts';

const DATA = new URL('../testdata/', import.meta.url);
const FILES = readdirSync(DATA)
  .filter((file) => file.endsWith('.dockerfile'))
  .map((name) => readFileSync(new URL(name, DATA), 'utf8'));

const PIECES = [
  ...[
    'FROM a\n',
    'FROM b AS c\n',
    'RUN x\n',
    'COPY <<E /\nb\nE\n',
    'ENV a=$b\n',
    '# c\n',
    '\n',
    '  ',
  ],
  ...[
    'ONBUILD RUN <<-"X"\n\tX\n',
    'RUN --mount=type=cache,target=/x y\n',
    '\\\n',
    '`\n',
    '\r\n',
    'RUN ',
  ],
  ...[
    '# escape=`\n',
    'CMD ["a"]\n',
    '<<E',
    'E\n',
    '\\',
    '\uFEFF',
    'ARG a=${b:-c}\n',
    '--from=x ',
    'x',
  ],
  ...[
    'HEALTHCHECK --interval=3s CMD a\n',
    'WHAT\n',
    '\t',
    '\\ \n# c\n',
    '"',
    "'",
    ' \\ \n',
    '\u0085',
    '\r',
  ],
] as const;

const texts = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 30 })
  .map((parts) => parts.join(''));
const files = fc.oneof(fc.constantFrom(...FILES), texts);

const edits = fc.record({
  at: fc.nat(),
  cut: fc.nat(20),
  put: fc.oneof(fc.constantFrom(...PIECES), fc.string()),
});

test('the tokens of a file own every character once and in order', () => {
  fc.assert(
    fc.property(files, edits, (text, { at, cut, put }) => {
      const from = at % (text.length + 1);
      const mutated = text.slice(0, from) + put + text.slice(from + cut);
      const tokens = tokensOf(parseDockerfile(mutated));
      assert.equal(
        tokens.map(({ range }) => mutated.slice(range.start, range.end)).join(''),
        mutated,
      );
      let end = 0;
      for (const { range } of tokens) {
        assert.ok(range.start === end && range.end > end);
        end = range.end;
      }
    }),
    { numRuns: 5000 },
  );
});

test('tokens say what they are', () => {
  const text =
    '\uFEFF# escape=`\n#c\n\n from --platform=$P a `\n  # d\n\n b`\r\nCOPY --link --chown=a <<E "x y"\n$z\nE\n';
  const file = parseDockerfile(text);
  const shown = tokensOf(file).map(
    ({ kind, range }) => `${kind} ${JSON.stringify(text.slice(range.start, range.end))}`,
  );
  assert.deepEqual(shown, [
    'byte-order-mark "\uFEFF"',
    'directive "# escape=`"',
    'newline "\\n"',
    'comment "#c"',
    'newline "\\n"',
    'newline "\\n"',
    'whitespace " "',
    'keyword "from"',
    'whitespace " "',
    'flag-name "--platform"',
    'equals "="',
    'flag-value "$P"',
    'whitespace " "',
    'argument "a"',
    'whitespace " "',
    'continuation "`\\n"',
    'whitespace "  "',
    'comment "# d"',
    'newline "\\n"',
    'newline "\\n"',
    'whitespace " "',
    'argument "b"',
    'continuation "`\\r\\n"',
    'argument "COPY"',
    'whitespace " "',
    'argument "--link"',
    'whitespace " "',
    'argument "--chown=a"',
    'whitespace " "',
    'argument "<<E"',
    'whitespace " "',
    'argument "\\"x"',
    'whitespace " "',
    'argument "y\\""',
    'newline "\\n"',
    'keyword "$z"',
    'newline "\\n"',
    'keyword "E"',
    'newline "\\n"',
  ]);
});

test('heredocs have a mark, a body and an end', () => {
  const text = 'ONBUILD COPY --link <<E <<"F" /\n$a\nE\nF\nRUN <<X\nlost';
  const shown = tokensOf(parseDockerfile(text))
    .filter(({ kind }) => kind !== 'whitespace' && kind !== 'newline')
    .map(({ kind, range }) => `${kind} ${JSON.stringify(text.slice(range.start, range.end))}`);
  assert.deepEqual(shown, [
    'keyword "ONBUILD"',
    'keyword "COPY"',
    'flag-name "--link"',
    'heredoc-mark "<<E"',
    'heredoc-mark "<<\\"F\\""',
    'argument "/"',
    'heredoc-body "$a\\n"',
    'heredoc-end "E"',
    'heredoc-end "F"',
    'keyword "RUN"',
    'heredoc-mark "<<X"',
    'heredoc-body "lost"',
  ]);
});

test('an edit reads only what it touches, and gives what a whole parse gives', () => {
  fc.assert(
    fc.property(files, fc.array(edits, { minLength: 1, maxLength: 5 }), (text, list) => {
      const document = new DockerfileDocument(text);
      let current = text;
      for (const { at, cut, put } of list) {
        const start = at % (current.length + 1);
        const end = Math.min(current.length, start + cut);
        current = current.slice(0, start) + put + current.slice(end);
        assert.deepEqual(
          document.edit({ range: { start, end }, text: put }),
          parseDockerfile(current),
        );
      }
    }),
    { numRuns: 3000 },
  );
});

test('typing in the middle of a long file reads one or two instructions again', () => {
  const text = 'FROM a\n'.concat('RUN x \\\n  && y\n'.repeat(1000));
  const document = new DockerfileDocument(text);
  for (const put of ['a', ' ', '\n', '# c\n']) {
    document.edit({ range: { start: 7000, end: 7000 }, text: put });
    assert.ok(document.reread <= 3, String(document.reread));
  }
  assert.deepEqual(document.file, parseDockerfile(document.file.text));
});

function shownVariables(text: string): string[] {
  const file = parseDockerfile(text);
  const show = (found: VariableReference): string => {
    const part = (range: { start: number; end: number } | undefined): string =>
      range === undefined ? '' : text.slice(range.start, range.end);
    const inner = found.inner.map(show).join(' ');
    return `${part(found.nameRange)}|${part(found.modifierRange)}|${part(found.operandRange)}${inner && ` (${inner})`}`;
  };
  return file.instructions.flatMap((instruction) => variablesOf(instruction, file)).map(show);
}

test('variable references are nodes with name, modifier and operand', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['FROM --platform=$A img:${B:-1}', ['A||', 'B|:-|1']],
    ['ENV a=$b c="${d+x${e}}" f=\'$g\' h=\\$i', ['b||', 'd|+|x${e} (e||)']],
    ['ARG x=${y%%.*} z=${w//a/b}', ['y|%%|.*', 'w|//|a/b']],
    ['COPY --chown=$u --from=a $s /$d', ['u||', 's||', 'd||']],
    ['RUN --mount=type=cache,target=/$t echo $shell', ['t||']],
    ["COPY <<E /x\n$a '$b' \\$c\nE", ['a||', 'b||']],
    ['COPY <<"E" /x\n$a\nE', []],
    ['ONBUILD USER $u', ['u||']],
    ['LABEL a=$\\\nb c=${d', ['b||', 'd||']],
    ['EXPOSE $ $$ ${} $1', ['$||', '1||']],
  ];
  for (const [text, expected] of cases) assert.deepEqual(shownVariables(text), expected, text);
});

test('no text makes finding variables throw, and their ranges are nested', () => {
  const noise = fc.array(
    fc.constantFrom('$', '${', '}', 'a', ':-', "'", '"', '\\', ' ', '/', '#', '\\\n'),
  );
  fc.assert(
    fc.property(noise, (parts) => {
      const file = parseDockerfile(`FROM x\nENV a=${parts.join('')}\nUSER ${parts.join('')}`);
      const within = (
        found: VariableReference,
        { start, end }: { start: number; end: number },
      ): void => {
        assert.ok(found.range.start >= start && found.range.end <= end);
        for (const inner of found.inner) within(inner, found.range);
      };
      for (const instruction of file.instructions)
        for (const found of variablesOf(instruction, file)) within(found, instruction.range);
    }),
    { numRuns: 3000 },
  );
});

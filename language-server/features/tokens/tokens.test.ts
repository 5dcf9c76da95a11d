/** Tests of semantic tokens: what is coloured as what, their numbers, and their edits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDockerfile } from '../../../src/lib/dockerfile/parse.ts';
import { scriptsOf } from '../../../src/lib/dockerfile/shell/scripts.ts';
import { utf8Length } from '../../encoding.ts';
import { collectTokens } from './collect.ts';
import { encodeTokens, tokenEdits } from './encode.ts';
import { TOKEN_TYPES } from './legend.ts';

function numbers(text: string): number[] {
  const file = parseDockerfile(text);
  return encodeTokens(file, collectTokens(file, scriptsOf(file)));
}

interface Decoded {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly type: string;
  readonly text: string;
}

function decode(text: string, data = numbers(text)): Decoded[] {
  const lines = text.split('\n');
  const found: Decoded[] = [];
  let line = 0;
  let column = 0;
  for (let at = 0; at < data.length; at += 5) {
    const [deltaLine = 0, delta = 0, length = 0, type = 0] = data.slice(at, at + 5);
    line += deltaLine;
    column = deltaLine === 0 ? column + delta : delta;
    const piece = lines[line]?.slice(column, column + length) ?? '';
    found.push({ line, column, length, type: TOKEN_TYPES[type] ?? '?', text: piece });
  }
  return found;
}

function shown(text: string): string {
  return decode(text)
    .map(({ type, text: piece }) => `${type}:${piece}`)
    .join(' ');
}

const CASES: readonly (readonly [string, string])[] = [
  [
    'FROM a\nRUN x=$((n + 0x1f*$m))',
    'keyword:FROM class:a keyword:RUN variable:x operator:$(( variable:n operator:+ number:0x1f operator:* variable:$m operator:))',
  ],
  ['# syntax=a/b\nFROM a', 'comment:# macro: syntax comment:= string:a/b keyword:FROM class:a'],
  [
    'FROM --platform=$P a AS b',
    'keyword:FROM parameter:--platform variable:$P class:a keyword:AS namespace:b',
  ],
  [
    'FROM a\nENV A=1 B="x $A"',
    'keyword:FROM class:a keyword:ENV variable:A string:1 variable:B string:"x  variable:$A string:"',
  ],
  [
    'FROM a\nRUN --mount=type=cache,from=b x',
    'keyword:FROM class:a keyword:RUN parameter:--mount property:type string:cache property:from namespace:b function:x',
  ],
  [
    'FROM a\nCOPY --from=b --link x y',
    'keyword:FROM class:a keyword:COPY parameter:--from namespace:b parameter:--link string:x string:y',
  ],
  [
    'FROM a\nRUN A=1 apt -y "$B" && c | d',
    'keyword:FROM class:a keyword:RUN variable:A function:apt parameter:-y string:" variable:$B string:" operator:&& function:c operator:| function:d',
  ],
  [
    'FROM a\nRUN if x; then y; fi # c',
    'keyword:FROM class:a keyword:RUN keyword:if function:x operator:; keyword:then function:y operator:; keyword:fi comment:# c',
  ],
  [
    "FROM a\nRUN <<E\necho 'q'\nE\n",
    "keyword:FROM class:a keyword:RUN macro:<<E function:echo string:'q' macro:E",
  ],
  [
    'FROM a\nCOPY <<E /x\na $V\n b\nE\n',
    'keyword:FROM class:a keyword:COPY macro:<<E string:/x string:a  variable:$V string:b macro:E',
  ],
  [
    'FROM a\nEXPOSE 80 $P/tcp',
    'keyword:FROM class:a keyword:EXPOSE number:80 variable:$P number:/tcp',
  ],
  [
    'FROM a\nHEALTHCHECK --retries=3 CMD x',
    'keyword:FROM class:a keyword:HEALTHCHECK parameter:--retries number:3 keyword:CMD function:x',
  ],
  [
    'FROM a\nONBUILD LABEL a=b',
    'keyword:FROM class:a keyword:ONBUILD keyword:LABEL property:a string:b',
  ],
  ['FROM a\nCMD ["x", "y"]', 'keyword:FROM class:a keyword:CMD string:"x" string:"y"'],
  [
    'FROM a\nENV B=${A:-$C}',
    'keyword:FROM class:a keyword:ENV variable:B string:${ variable:A operator::- variable:$C string:}',
  ],
];

for (const [text, wanted] of CASES) {
  test(`the tokens of ${JSON.stringify(text)}`, () => assert.equal(shown(text), wanted));
}

test('no token spans lines, and continued words are coloured line by line', () => {
  assert.equal(
    shown('FROM a\r\nRUN echo "a \\\r\n  b"\r\n'),
    'keyword:FROM class:a keyword:RUN function:echo string:"a \\ string:b"',
  );
});

test('a part of the file has the tokens of what it touches', () => {
  const text = 'FROM a\nRUN x\nRUN y\n';
  const file = parseDockerfile(text);
  const part = encodeTokens(file, collectTokens(file, scriptsOf(file), { start: 8, end: 9 }));
  assert.deepEqual(
    decode(text, part).map(({ text: piece }) => piece),
    ['RUN', 'x'],
  );
});

test('columns and lengths count in the unit of the wire', () => {
  const file = parseDockerfile('FROM a\nENV é=ü $x\n');
  const data = encodeTokens(file, collectTokens(file, []), utf8Length);
  assert.deepEqual(data.slice(10, 20), [1, 0, 3, 0, 0, 0, 4, 2, 5, 1]);
});

test('edits make the new numbers out of the old ones', () => {
  const list = fc
    .array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 })
    .map((short) => short.flatMap((n) => [n, n, 1, 0, 0]));
  fc.assert(
    fc.property(list, list, (before, after) => {
      let result = [...before];
      for (const { start, deleteCount, data } of tokenEdits(before, after)) {
        result = [...result.slice(0, start), ...(data ?? []), ...result.slice(start + deleteCount)];
      }
      assert.deepEqual(result, after);
    }),
  );
  assert.deepEqual(tokenEdits([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]), []);
});

test('whatever the text, tokens are in order, do not overlap and lie on their lines', () => {
  const piece = fc.constantFrom(
    'FROM a AS b\n',
    'ARG X=$Y\n',
    'RUN $X <<E\n',
    'E\n',
    'COPY <<"F" /\n',
    '"${X:-',
    "'",
    '"',
    '\\\n',
    '\r\n',
    '# c\n',
    '\t',
    'if ',
    '; then ',
    ' | x',
    'ONBUILD ',
    '$(',
    ')',
    'HEALTHCHECK CMD ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      const text = pieces.join('');
      const lines = text.split('\n');
      let last = { line: 0, end: 0 };
      for (const { line, column, length } of decode(text)) {
        assert.ok(length > 0 && (line > last.line || column >= last.end), text);
        assert.ok(column + length <= (lines[line]?.length ?? 0), text);
        last = { line, end: column + length };
      }
    }),
    { numRuns: 500 },
  );
});

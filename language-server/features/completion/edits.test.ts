/** Tests of what a completion replaces: the part that is being written, no more and no less; `|` marks the cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompletionItem, Range } from 'vscode-languageserver/node';
import { parseDockerfile } from '../../../src/lib/dockerfile/parse.ts';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import { completionsAt, NO_SOURCES } from './completion.ts';

interface Asked {
  readonly file: Dockerfile;
  readonly items: readonly CompletionItem[];
}

async function ask(marked: string): Promise<Asked> {
  const file = parseDockerfile(marked.replace('|', ''));
  const sources = { ...NO_SOURCES, snippets: true };
  const { items } = await completionsAt(file, marked.indexOf('|'), sources);
  return { file, items };
}

function editOf({ textEdit, label }: CompletionItem): { range: Range; newText: string } {
  assert.ok(textEdit !== undefined && 'range' in textEdit, label);
  return textEdit;
}

function offsetsOf({ lines }: Dockerfile, { start, end }: Range): { start: number; end: number } {
  return {
    start: lines.offset(start.line, start.character),
    end: lines.offset(end.line, end.character),
  };
}

/** The text after an item is taken. */
async function taken(marked: string, label: string): Promise<string> {
  const { file, items } = await ask(marked);
  const item = items.find((one) => one.label === label);
  assert.ok(item !== undefined, `no ${label} for ${JSON.stringify(marked)}`);
  const { range, newText } = editOf(item);
  const { start, end } = offsetsOf(file, range);
  return file.text.slice(0, start) + newText + file.text.slice(end);
}

/** What is written, the item that is taken, what it becomes. */
const CASES: readonly (readonly [string, string, string])[] = [
  // A blank behind the word is not doubled.
  ['FROM a\nR|UN x\n', 'RUN', 'FROM a\nRUN x\n'],
  ['FROM a A|S b\n', 'AS', 'FROM a AS b\n'],
  ['FROM a |AS b\n', 'AS', 'FROM a AS b\n'],
  ['FROM a\nHEALTHCHECK C|MD x\n', 'CMD', 'FROM a\nHEALTHCHECK CMD x\n'],
  ['FROM a\nONBUILD C|OPY a b\n', 'COPY', 'FROM a\nONBUILD COPY a b\n'],
  ['FROM a\r\nCO|\r\nRUN x\r\n', 'COPY', 'FROM a\r\nCOPY \r\nRUN x\r\n'],
  ['\ufeffFR|', 'FROM', '\ufeffFROM '],
  // The character that continues the line stays.
  ['FROM a\nRUN --mo|\\\n x\n', '--mount', 'FROM a\nRUN --mount=\\\n x\n'],
  ['FROM a\nRUN --mo|\\ \r\n x\n', '--mount', 'FROM a\nRUN --mount=\\ \r\n x\n'],
  ['# escape=`\nFROM a\nRUN --mo|`\n x\n', '--mount', '# escape=`\nFROM a\nRUN --mount=`\n x\n'],
  ['FROM a AS one\nFROM o|\\\n AS b\n', 'one', 'FROM a AS one\nFROM one\\\n AS b\n'],
  ['FROM a\nSTOPSIGNAL SIGQ|\\\n\n', 'SIGQUIT', 'FROM a\nSTOPSIGNAL SIGQUIT\\\n\n'],
  // The parts of a mount over several lines.
  [
    'FROM a\nRUN --mount=type=cache,\\\n|\n',
    'target',
    'FROM a\nRUN --mount=type=cache,\\\ntarget=\n',
  ],
  [
    'FROM a\nRUN --mount=type=cache,\\\n# c\ntarget=/x,sha|\\\n x\n',
    'sharing',
    'FROM a\nRUN --mount=type=cache,\\\n# c\ntarget=/x,sharing=\\\n x\n',
  ],
  [
    'FROM a\nRUN --mount=type=cache,\\\nsharing=l|,id=x y\n',
    'locked',
    'FROM a\nRUN --mount=type=cache,\\\nsharing=locked,id=x y\n',
  ],
  // Values that are there already stay.
  ['FROM a\nARG TARGETA|=amd64\n', 'TARGETARCH', 'FROM a\nARG TARGETARCH=amd64\n'],
  [
    'FROM a\nLABEL org.opencontainers.image.so|=x y=z\n',
    'org.opencontainers.image.source',
    'FROM a\nLABEL org.opencontainers.image.source=x y=z\n',
  ],
  [
    'FROM a\nRUN --mount=type=cache,tar|get=/x,id=y z\n',
    'target',
    'FROM a\nRUN --mount=type=cache,target=/x,id=y z\n',
  ],
  [
    'FROM a\nRUN --mount=ty|pe=cache,target=/x z\n',
    'type=bind',
    'FROM a\nRUN --mount=type=bind,target=/x z\n',
  ],
  ['FROM a\nCOPY --link --fr|om=x a b\n', '--from', 'FROM a\nCOPY --link --from=x a b\n'],
  // Braces that are there already.
  ['FROM a\nENV AB=1\nRUN echo ${A|B:-x}\n', 'AB', 'FROM a\nENV AB=1\nRUN echo ${AB:-x}\n'],
  ['FROM a\nENV AB=1\nENV C=${A|#x}\n', 'AB', 'FROM a\nENV AB=1\nENV C=${AB#x}\n'],
  ['FROM a\nENV AB=1\nRUN "${X:-${A|"\n', 'AB', 'FROM a\nENV AB=1\nRUN "${X:-${AB}"\n'],
  ['FROM a\nENV AB=1\nRUN ls ${A|/x\n', 'AB', 'FROM a\nENV AB=1\nRUN ls ${AB}/x\n'],
  ['FROM a\nENV AB=1\nRUN echo 😀$A|\n', 'AB', 'FROM a\nENV AB=1\nRUN echo 😀$AB\n'],
  // Names in lists of comments.
  [
    '# check=skip=Dup|licateStageName,FromAsCasing\nFROM a\n',
    'DuplicateStageName',
    '# check=skip=DuplicateStageName,FromAsCasing\nFROM a\n',
  ],
  [
    'FROM a\n# hadolint ignore=DL30|08,DL3009\nRUN x\n',
    'DL3015',
    'FROM a\n# hadolint ignore=DL3015,DL3009\nRUN x\n',
  ],
  [
    'FROM a\n# hadolint gl|obal ignore=DL3008\nRUN x\n',
    'global ignore=',
    'FROM a\n# hadolint global ignore=DL3008\nRUN x\n',
  ],
];

for (const [text, label, wanted] of CASES) {
  test(`${label} taken in ${JSON.stringify(text)}`, async () => {
    assert.equal(await taken(text, label), wanted);
  });
}

test('nothing is offered where nothing would have an effect', async () => {
  for (const text of [
    'FROM a\nRUN x \\\n|',
    'FROM a\nRUN x \\\r\n\r\n|',
    '# escape=`\nFROM a\nRUN x `\n|',
    'FROM a\nENV A=1\nCOPY <<"EOF" /x\n$|\nEOF\n',
    'FROM a\nENV A=1\nENV X=$|{A}\n',
    'FROM a\nCOPY -- --|',
    'FROM a\nRUN --mount=type=cache,tar\\\nget|\n',
    'FROM al\\\npi|\n',
  ]) {
    const { items } = await ask(text);
    const labels = items.map(({ label }) => label);
    assert.deepEqual(labels, [], text);
  }
});

const DIFFICULT = `# syntax=a
# check=skip=all;error=true
ARG A=1
FROM --platform=$A x:y AS y
# hadolint ignore=DL3008,DL3009
RUN --mount=type=cache,\\
target=/x,sharing=locked --network=none \\
# c

  echo "\${A:-b}" <<EOF && cat /etc/
$A
EOF
LABEL a=b org.opencontainers.image.title="t"
COPY --from=y --link --chown=a:b ["a", "b"]
onbuild copy --from=y a \\
  b
HEALTHCHECK --interval=5s CMD x
EXPOSE 80/tcp 8\\
1
ARG B=\${A} C
STOPSIGNAL SIGTERM
USER a:b
RUN x \\
`;

test('at every place an item replaces a part of its line around the cursor, and can be found', async () => {
  for (const text of [DIFFICULT, DIFFICULT.replaceAll('\n', '\r\n')]) {
    for (let offset = 0; offset <= text.length; offset++) {
      const marked = `${text.slice(0, offset)}|${text.slice(offset)}`;
      const near = JSON.stringify(marked.slice(Math.max(0, offset - 30), offset + 30));
      const { file, items } = await ask(marked);
      for (const item of items) {
        const { range } = editOf(item);
        const { start, end } = offsetsOf(file, range);
        const told = `${item.label} in ${near}`;
        assert.equal(range.start.line, range.end.line, told);
        assert.ok(start <= offset && end >= offset, told);
        assert.ok(!/[\r\n]/.test(text.slice(start, end)), told);
        assert.ok(item.filterText !== '', told);
      }
    }
  }
});

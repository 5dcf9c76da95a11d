/** Tests of definition, references, highlights, rename, selection, calls and workspace symbols; `|` marks the cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Range, SelectionRange, TextEdit } from 'vscode-languageserver/node';
import { parseDockerfile } from '../../../src/lib/dockerfile/parse.ts';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import { callsFrom, callsTo, prepareCalls } from './calls.ts';
import { definitionOf, highlightsOf, linkedRangesOf, referencesOf } from './occurrences.ts';
import { prepareRename, renameAt } from './rename.ts';
import { selectionAt } from './selection.ts';
import { workspaceSymbolsOf } from './workspace-symbols.ts';

const uri = 'file:///x/Dockerfile';

function at(marked: string): { file: Dockerfile; uri: string; offset: number } {
  return { file: parseDockerfile(marked.replace('|', '')), uri, offset: marked.indexOf('|') };
}

function textOf({ lines, text }: Dockerfile, { start, end }: Range): string {
  return text.slice(
    lines.offset(start.line, start.character),
    lines.offset(end.line, end.character),
  );
}

function place({ line, character }: Range['start']): string {
  return `${String(line + 1)}:${String(character)}`;
}

test('definitions are found', () => {
  for (const [text, wanted] of [
    ['FROM a AS b\nFROM |b\n', '1:10'],
    ['FROM a AS b\nCOPY --from=B| / /\n', '1:10'],
    ['FROM a\nFROM c\nCOPY --from=|0 / /\n', '1:0'],
    ['FROM a\nENV X=1\nENV X=2\nRUN $X|\nENV X=3\n', '3:4'],
    ['FROM a\nENV X=1\nENV X=${X|}2\n', '2:4'],
    ['ARG V=1\nFROM a:$|V\n', '1:4'],
    ['FROM a\nRUN <<E\nx\nE|\n', '2:6'],
    ['FROM a\nRUN |x\n', ''],
  ] as const) {
    const [link] = definitionOf(at(text));
    assert.equal(link === undefined ? '' : place(link.targetSelectionRange.start), wanted, text);
  }
});

test('references come with or without the definitions, highlights with reading and writing', () => {
  const text = 'FROM a\nENV X|=1\nRUN $X\nWORKDIR $X\n';
  const { file, offset } = at(text);
  assert.equal(referencesOf(at(text), { includeDeclaration: true }).length, 3);
  assert.equal(referencesOf(at(text), { includeDeclaration: false }).length, 2);
  assert.deepEqual(
    highlightsOf(file, offset).map(({ kind }) => kind),
    [3, 2, 2],
  );
  assert.deepEqual(highlightsOf(file, 0), [
    { range: { start: { line: 0, character: 0 }, end: { line: 0, character: 4 } }, kind: 3 },
  ]);
});

function applied({ text, lines }: Dockerfile, edits: readonly TextEdit[]): string {
  return edits
    .map(({ range, newText }) => ({
      start: lines.offset(range.start.line, range.start.character),
      end: lines.offset(range.end.line, range.end.character),
      newText,
    }))
    .sort((a, b) => b.start - a.start)
    .reduce(
      (done, { start, end, newText }) => done.slice(0, start) + newText + done.slice(end),
      text,
    );
}

function renamed(marked: string, name: string): string {
  const { file, offset } = at(marked);
  const result = renameAt(file, offset, name);
  return 'refused' in result ? `no: ${result.refused}` : applied(file, result.edits);
}

test('a rename changes every place of the name and nothing else', () => {
  for (const [text, name, wanted] of [
    [
      'FROM a AS b|\nFROM b\nCOPY --from=B b /\nCOPY --from=0 / /\n',
      'new',
      'FROM a AS new\nFROM new\nCOPY --from=new b /\nCOPY --from=0 / /\n',
    ],
    [
      'ARG V|=1\nFROM a:$V\nARG V\nRUN echo ${V:-x} \\$V\n',
      'W',
      'ARG W=1\nFROM a:$W\nARG W\nRUN echo ${W:-x} \\$V\n',
    ],
    ['FROM a\nRUN <<E| cat\nx\nE\n', 'F', 'FROM a\nRUN <<F cat\nx\nF\n'],
  ] as const) {
    const result = renamed(text, name);
    assert.equal(result, wanted);
    assert.deepEqual(
      parseDockerfile(result).problems.length,
      parseDockerfile(text.replace('|', '')).problems.length,
    );
  }
});

test('a rename that would change the meaning is refused with the reason', () => {
  for (const [text, name, reason] of [
    ['FROM a AS b|\n', '1x', /no name of a stage/],
    ['FROM a AS b|\n', 'scratch', /reserved/],
    ['FROM a AS b|\nFROM b AS c\n', 'c', /named 'c' already/],
    ['FROM a AS b|\nFROM b\n', 'New', /lower case/],
    ['FROM a\nENV X|=1\n', 'a-b', /no name of a variable/],
    ['FROM a\nENV X|=1 Y=2\n', 'Y', /already/],
    ['FROM a\nRUN <<E|\nF\nE\n', 'F', /would end it/],
    ['FROM a\nRUN <<E|\nF\n', 'G', /not ended/],
    ['FROM a\nFROM c\nCOPY --from=|0 / /\n', 'x', /no name here/],
    ['FROM a|\n', 'x', /only stages/],
  ] as const) {
    assert.match(renamed(text, name), reason, text);
  }
  const { file, offset } = at('FROM a AS Bu|ild\n');
  assert.deepEqual(prepareRename(file, offset), {
    range: { start: { line: 0, character: 10 }, end: { line: 0, character: 15 } },
    placeholder: 'Build',
  });
});

test("a heredoc's two marks are edited together", () => {
  const { file, offset } = at('FROM a\nCOPY <<E| /x\ny\nE\n');
  assert.deepEqual(
    linkedRangesOf(file, offset)?.map((range) => textOf(file, range)),
    ['E', 'E'],
  );
  assert.equal(linkedRangesOf(file, 0), undefined);
});

function selections(marked: string): string[] {
  const { file, offset } = at(marked);
  const found: string[] = [];
  for (
    let one: SelectionRange | undefined = selectionAt(file, offset);
    one !== undefined;
    one = one.parent
  ) {
    found.push(textOf(file, one.range));
  }
  return found;
}

test('a selection grows from the word to the file', () => {
  assert.deepEqual(selections('FROM a\nENV X=1 Y=$X|Z\n').at(-1), 'FROM a\nENV X=1 Y=$XZ\n');
  assert.deepEqual(
    selections('FROM a AS x\nRUN --mount=type=ca|che,target=/y a && b\n').slice(0, 4),
    ['cache', 'type=cache', 'type=cache,target=/y', '--mount=type=cache,target=/y'],
  );
  const shell = selections('FROM a\nRUN apt install "$|X" && b\n');
  assert.ok(shell.indexOf('"$X"') < shell.indexOf('apt install "$X"'));
  assert.ok(shell.indexOf('apt install "$X"') < shell.indexOf('apt install "$X" && b'));
  assert.deepEqual(selections('|'), ['']);
});

test('each selection lies within the next one, at every offset', () => {
  const text =
    'ARG A\nFROM a AS b\nRUN --mount=type=bind,from=b x <<E "a $B c" \\\n  | y\nz\nE\nONBUILD COPY ["a", "b"]\n';
  const file = parseDockerfile(text);
  for (let offset = 0; offset <= text.length; offset++) {
    for (let one = selectionAt(file, offset); one.parent !== undefined; one = one.parent) {
      assert.ok(textOf(file, one.parent.range).includes(textOf(file, one.range)));
    }
  }
});

test('stages call those that they use', () => {
  const text = 'FROM x AS a|\nFROM a AS b\nCOPY --from=a / /\nCOPY --from=0 / /\nFROM b\n';
  const { file } = at(text);
  const [item] = prepareCalls(at(text));
  assert.equal(item?.name, 'a');
  const incoming = callsTo(file, item);
  assert.deepEqual(
    incoming.map(({ from, fromRanges }) => `${from.name} ${String(fromRanges.length)}`),
    ['b 3'],
  );
  const next = incoming[0]?.from;
  assert.ok(next !== undefined);
  assert.deepEqual(
    callsFrom(file, next).map(({ to }) => to.name),
    ['a'],
  );
  assert.deepEqual(
    callsTo(file, next).map(({ from }) => from.name),
    ['stage 2'],
  );
  assert.deepEqual(callsTo(file, { ...next, name: 'gone', data: 99 }), []);
  assert.deepEqual(prepareCalls(at('FROM x\nRUN |y\n')), []);
});

test('workspace symbols are found by letters in their order', () => {
  const file = parseDockerfile('ARG VERSION=1\nFROM node AS build\nFROM scratch\n');
  const names = (query: string): string[] =>
    workspaceSymbolsOf(file, uri, query).map(({ name }) => name);
  assert.deepEqual(names(''), ['build', 'stage 1', 'VERSION']);
  assert.deepEqual(names('bd'), ['build']);
  assert.deepEqual(names('node'), ['build']);
  assert.deepEqual(names('vsn'), ['VERSION']);
  assert.equal(
    workspaceSymbolsOf(file, 'file:///a%20b/Dockerfile%', 'build')[0]?.containerName,
    'a b/Dockerfile%',
  );
});

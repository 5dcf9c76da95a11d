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
    ['FROM a AS b\nENV X=1\nFROM b\nENV X=2\nFROM b\nRUN $X|\n', '2:4'],
    ['FROM a AS b\nARG V=1\nFROM c\nARG V=2\nFROM b\nRUN $V|\n', '2:4'],
    ['FROM a\nENV X=1\nARG X=2\nRUN $X|\n', '2:4'],
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
    [
      'FROM a\nCOPY <<"E|" <<-B /x\nx\nE\n\ty\n\tB\n',
      'F',
      'FROM a\nCOPY <<"F" <<-B /x\nx\nF\n\ty\n\tB\n',
    ],
    // One argument of the build in several stages, with a global one and without.
    [
      'ARG V=1\nFROM a:$V\nARG V\nRUN $V\nFROM b\nARG V=2\nRUN ${V|:-x}\nFROM c\nRUN $V\n',
      'W',
      'ARG W=1\nFROM a:$W\nARG W\nRUN $W\nFROM b\nARG W=2\nRUN ${W:-x}\nFROM c\nRUN $V\n',
    ],
    [
      'FROM a\nARG V|=1\nRUN $V\nFROM b\nARG V\nRUN $V\nFROM c\nENV V=1\nRUN $V\n',
      'W',
      'FROM a\nARG W=1\nRUN $W\nFROM b\nARG W\nRUN $W\nFROM c\nENV V=1\nRUN $V\n',
    ],
    // Heredocs of a shell, of files, and under a quoted name; operands, and what stays as it is.
    [
      'FROM a\nENV X|=1\nRUN <<E\necho ${Y:-${X}} "$X" \'$X\' $((X+1))\nE\nCOPY <<E /f\n${X} \\$X\nE\nCOPY <<"E" /f\n$X\nE\n',
      'W',
      'FROM a\nENV W=1\nRUN <<E\necho ${Y:-${W}} "$W" \'$X\' $((W+1))\nE\nCOPY <<E /f\n${W} \\$X\nE\nCOPY <<"E" /f\n$X\nE\n',
    ],
    [
      'FROM a\r\nENV X|=1\r\nONBUILD WORKDIR ${Y:-${X}}\r\nRUN 😀 $X \\\r\n  $X',
      'W',
      'FROM a\r\nENV W=1\r\nONBUILD WORKDIR ${Y:-${W}}\r\nRUN 😀 $W \\\r\n  $W',
    ],
    [
      'FROM a\nARG X|\nRUN --mount=type=secret,id=s,env=X echo $X\nRUN --mount=type=cache,target=/$X y\n',
      'W',
      'FROM a\nARG W\nRUN --mount=type=secret,id=s,env=X echo $X\nRUN --mount=type=cache,target=/$W y\n',
    ],
    [
      'FROM a AS b|\nFROM c\nRUN --mount=type=bind,from=b,target=/x --mount=from=0,target=/y z\n',
      'n',
      'FROM a AS n\nFROM c\nRUN --mount=type=bind,from=n,target=/x --mount=from=0,target=/y z\n',
    ],
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
    ['FROM a AS b\nFROM c\nCOPY --from=|0 / /\n', 'x', /'b' is named by its number/],
    ['FROM a AS b|\nFROM alpine\n', 'alpine', /line 2 uses an image or a context 'alpine'/],
    ['FROM a AS b|\nCOPY --from=Debian / /\n', 'debian', /line 2 uses an image/],
    ['ARG B=b\nFROM a AS b|\nFROM $B\n', 'x', /line 3 names it by a variable/],
    ['FROM a\nARG TARGET|ARCH\n', 'X', /set by the builder under this name/],
    ['FROM a\nARG X|\n', 'HTTP_PROXY', /the builder sets/],
    ['FROM a\nENV X|=1\nRUN Y=2; echo $X $Y\n', 'Y', /line 3 uses a variable Y/],
    ['FROM a\nENV X|=1\nRUN for Y in 1; do $X; done\n', 'Y', /line 3/],
    ['FROM a\nENV X|=1\nONBUILD WORKDIR ${Z:-$Y}\n', 'Y', /line 3/],
    ['FROM a\nENV X|=1\nRUN --mount=type=secret,id=s,env=Y x\n', 'Y', /line 3/],
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
  assert.deepEqual(selections('FROM a\nRUN x \\\n # c|d\n y\n').slice(0, 2), [
    '# cd',
    'x \\\n # cd\n y',
  ]);
  assert.deepEqual(selections('# syntax=a|b\nFROM a\n').slice(0, 2), ['ab', '# syntax=ab']);
  assert.deepEqual(selections('FROM a\r\nCOPY <<E /x\r\nl|i\r\nne\r\nE\r\n').slice(0, 2), [
    'li',
    'li\r\nne\r\n',
  ]);
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

test('stages are called by a variable too, and by what mounts them', () => {
  const text =
    'ARG B=a\nFROM x AS a|\nFROM $B AS b\nFROM c\nRUN --mount=from=a,target=/x y\nONBUILD COPY --from=a / /\n';
  const [item] = prepareCalls(at(text));
  assert.ok(item !== undefined);
  const { file } = at(text);
  assert.deepEqual(
    callsTo(file, item).map(
      ({ from, fromRanges }) => `${from.name} ${fromRanges.map((one) => textOf(file, one)).join()}`,
    ),
    ['b $B', 'stage 2 a'],
  );
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

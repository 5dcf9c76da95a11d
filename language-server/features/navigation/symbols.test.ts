/** Tests of the outline. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentSymbol } from 'vscode-languageserver/node';
import { parseDockerfile } from '../../../src/lib/dockerfile/parse.ts';
import { flatSymbolsOf, symbolsOf } from './symbols.ts';

function print(symbols: readonly DocumentSymbol[], indent = ''): string[] {
  return symbols.flatMap(({ name, detail = '', range, children = [] }) => {
    const lines = `${String(range.start.line + 1)}-${String(range.end.line + 1)}`;
    return [`${indent}${name} ${lines} ${detail}`.trimEnd(), ...print(children, `${indent}  `)];
  });
}

test('the outline has the global arguments, and the stages with their instructions', () => {
  const file = parseDockerfile(
    'ARG V=1\nFROM a:$V AS Build\nrun x \\\n  y\nFROM scratch\nCOPY --from=build / /\n',
  );
  assert.deepEqual(print(symbolsOf(file)), [
    'ARG 1-1 V=1',
    'build 2-4 a:$V',
    '  RUN 3-4 x y',
    'stage 1 5-6 scratch',
    '  COPY 6-6 / /',
  ]);
});

test('as a list, an instruction says in which stage it is', () => {
  const file = parseDockerfile('ARG V=1\nFROM a AS build\nRUN x\n');
  const found = flatSymbolsOf(file, 'file:///Dockerfile').map(
    ({ name, containerName, location: { uri, range } }) => [
      name,
      containerName,
      uri,
      range.start.line,
      range.end.character,
    ],
  );
  assert.deepEqual(found, [
    ['ARG', undefined, 'file:///Dockerfile', 0, 7],
    ['build', undefined, 'file:///Dockerfile', 1, 5],
    ['RUN', 'build', 'file:///Dockerfile', 2, 5],
  ]);
});

test('a selection always lies within its range, also for broken files', () => {
  for (const text of ['\\\n', 'X', 'FROM', 'FROM a\n\\\nRUN x', 'ONBUILD']) {
    const all = symbolsOf(parseDockerfile(text)).flatMap((one) => [one, ...(one.children ?? [])]);
    for (const { name, range, selectionRange } of all) {
      assert.notEqual(name, '');
      const before = (a: { line: number; character: number }, b: typeof a): boolean =>
        a.line < b.line || (a.line === b.line && a.character <= b.character);
      assert.ok(before(range.start, selectionRange.start) && before(selectionRange.end, range.end));
    }
  }
});

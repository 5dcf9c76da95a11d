/** Tests that the tree of an edited document is that of its text, however the edits come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TextDocumentContentChangeEvent } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parseDockerfile } from '../src/lib/dockerfile/parse.ts';
import { isIgnoreFile, noteEdit, problemsOf, treeOf } from './documents.ts';
import { applyChanges, type Encoding } from './encoding.ts';

function change(
  document: TextDocument,
  changes: readonly TextDocumentContentChangeEvent[],
  encoding: Encoding = 'utf-16',
): void {
  const version = document.version + 1;
  applyChanges(document, changes, { version, encoding, note: (edit) => noteEdit(document, edit) });
}

function assertFresh(document: TextDocument): void {
  const text = document.getText();
  const { instructions, problems, comments } = treeOf(document);
  const wanted = parseDockerfile(text);
  assert.equal(treeOf(document).text, text);
  assert.deepEqual(instructions, wanted.instructions);
  assert.deepEqual(problems, wanted.problems);
  assert.deepEqual(comments, wanted.comments);
}

test('edits, new texts and many edits at once all lead to the same tree', () => {
  const document = TextDocument.create('file:///a', 'dockerfile', 1, 'FROM a\nRUN x\nRUN y\n');
  assertFresh(document);
  const insert = (line: number, text: string): TextDocumentContentChangeEvent => ({
    range: { start: { line, character: 0 }, end: { line, character: 0 } },
    text,
  });
  change(document, [insert(1, '# c\n')]);
  assertFresh(document);
  change(document, [{ text: 'FROM b\n' }]);
  assertFresh(document);
  change(document, [{ text: 'FROM b\n' }, insert(1, 'RUN z\n')]);
  assertFresh(document);
  for (let count = 0; count < 20; count++)
    change(document, [insert(1, `RUN ${String(count)} \\\n`)]);
  assertFresh(document);
  change(document, [insert(0, 'ARG é=1\n')], 'utf-8');
  assertFresh(document);
});

test('a range the wrong way round and one beyond the text are read as the document reads them', () => {
  const document = TextDocument.create('file:///a', 'dockerfile', 1, 'FROM a\nRUN x\n');
  treeOf(document);
  change(document, [
    { range: { start: { line: 1, character: 5 }, end: { line: 1, character: 4 } }, text: 'yy' },
    {
      range: { start: { line: 99, character: 9 }, end: { line: 100, character: 0 } },
      text: 'CMD z',
    },
  ]);
  assertFresh(document);
});

test('any sequence of edits leads to the tree of the text', () => {
  const piece = fc.constantFrom(
    'RUN x\n',
    '\\\n',
    'FROM a\n',
    '<<E\n',
    'E\n',
    '# c\n',
    '\r\n',
    'ENV A=1',
    '"',
    'ONBUILD ',
  );
  const edit = fc.tuple(fc.nat(12), fc.nat(8), fc.nat(3), fc.nat(8), piece, fc.boolean());
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.array(edit, { maxLength: 12 }),
      (start, edits) => {
        const document = TextDocument.create('file:///a', 'dockerfile', 1, start.join(''));
        treeOf(document);
        for (const [line, character, more, end, text, looks] of edits) {
          const range = { start: { line, character }, end: { line: line + more, character: end } };
          change(document, [{ range, text }]);
          if (looks) assertFresh(document);
        }
        assertFresh(document);
      },
    ),
    { numRuns: 200 },
  );
});

test("ignore files are known by their language or name, Docker's and Buildah's", () => {
  const isIgnore = (name: string, languageId = 'dockerfile'): boolean =>
    isIgnoreFile(TextDocument.create(`file:///${name}`, languageId, 1, '[x\n'));
  for (const name of ['.dockerignore', '.containerignore', 'Dockerfile.dockerignore'])
    assert.ok(isIgnore(name), name);
  assert.ok(isIgnore('Containerfile.containerignore') && isIgnore('a', 'dockerignore'));
  for (const name of ['Dockerfile', 'containerignore', '.containerignore/Dockerfile'])
    assert.ok(!isIgnore(name), name);
  const document = TextDocument.create('file:///.containerignore', 'plaintext', 1, 'a\n[x\n');
  assert.equal(problemsOf(document).length, 1);
});

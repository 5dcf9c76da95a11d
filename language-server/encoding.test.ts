/** Tests of the position encodings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { applyChanges, chooseEncoding, decodePosition, encodeAnswer } from './encoding.ts';

const LINE = 'é€😀x\n';

function documentOf(text: string): TextDocument {
  return TextDocument.create('file:///a', 'dockerfile', 1, text);
}

test('UTF-8 is chosen only where it is the first choice of the client', () => {
  assert.equal(chooseEncoding({}), 'utf-16');
  assert.equal(chooseEncoding({ general: { positionEncodings: ['utf-16', 'utf-8'] } }), 'utf-16');
  assert.equal(chooseEncoding({ general: { positionEncodings: ['utf-8', 'utf-16'] } }), 'utf-8');
});

test('a byte column and a code unit column name the same character', () => {
  const document = documentOf(LINE);
  for (const [bytes, units] of [
    [0, 0],
    [2, 1],
    [5, 2],
    [9, 4],
    [10, 5],
    [7, 2],
    [99, 6],
  ] as const) {
    const found = decodePosition(document, { line: 0, character: bytes }, 'utf-8');
    assert.equal(found.character, units, `byte ${String(bytes)}`);
  }
  const answer = [{ range: { start: { line: 0, character: 4 }, end: { line: 0, character: 5 } } }];
  assert.deepEqual(encodeAnswer(document, answer, 'utf-8'), [
    { range: { start: { line: 0, character: 9 }, end: { line: 0, character: 10 } } },
  ]);
  assert.equal(encodeAnswer(document, answer, 'utf-16'), answer);
});

test('changes in bytes are applied one after the other', () => {
  const changes = [
    {
      range: { start: { line: 0, character: 2 }, end: { line: 0, character: 5 } },
      text: 'ü',
    },
    {
      range: { start: { line: 0, character: 4 }, end: { line: 0, character: 8 } },
      text: '',
    },
  ];
  const changed = applyChanges(documentOf(LINE), changes, { version: 2, encoding: 'utf-8' });
  assert.equal(changed.getText(), 'éüx\n');
  assert.equal(changed.version, 2);
});

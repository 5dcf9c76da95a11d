/** Tests of the turning of offsets into lines and columns and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineIndex } from './lines.ts';

test('offsets become lines and columns, and are clamped to the text', () => {
  const lines = new LineIndex('ab\r\nc\n\n😀d');
  const at = (offset: number): [number, number] => {
    const { line, character } = lines.position(offset);
    return [line, character];
  };
  assert.deepEqual([0, 2, 3, 4, 6, 7, 9, 99].map(at), [
    [0, 0],
    [0, 2],
    [0, 3],
    [1, 0],
    [2, 0],
    [3, 0],
    [3, 2],
    [3, 3],
  ]);
  assert.deepEqual(at(-5), [0, 0]);
});

test('lines and columns become offsets, and are clamped to the line', () => {
  const lines = new LineIndex('ab\nc');
  assert.deepEqual(
    [lines.offset(0, 1), lines.offset(0, 99), lines.offset(1, 9), lines.offset(9, 0)],
    [1, 3, 4, 4],
  );
  assert.equal(lines.offset(-1, 3), 0);
});

test('every offset survives the way there and back', () => {
  const texts = fc.array(fc.constantFrom('a', '\n', '\r\n', '😀')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, fc.nat(60), (text, number) => {
      const lines = new LineIndex(text);
      const offset = Math.min(number, text.length);
      const { line, character } = lines.position(offset);
      assert.equal(lines.offset(line, character), offset);
    }),
  );
});

/** Tests of durations, sizes, booleans and numbers as the frontend reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBoolean, readBytes, readDuration, readUnsigned } from './quantity.ts';

test('durations are read to nanoseconds', () => {
  const cases: [string, number | undefined][] = [
    ['0', 0],
    ['30s', 30e9],
    ['1m30s', 90e9],
    ['1.5h', 5400e9],
    ['.5s', 5e8],
    ['2µs', 2000],
    ['1h1m1s1ms1us1ns', 3661001001001],
    ['-1s', -1e9],
    ['', undefined],
    ['30', undefined],
    ['1 s', undefined],
    ['1d', undefined],
    ['s', undefined],
    ['9999999h', undefined],
  ];
  for (const [text, value] of cases) assert.equal(readDuration(text), value, text);
});

test('sizes count in powers of 1024', () => {
  const cases: [string, number | undefined][] = [
    ['100', 100],
    ['64m', 64 * 1024 ** 2],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['2 kb', 2048],
    ['1B', 1],
    ['-1', undefined],
    ['1x', undefined],
    ['', undefined],
    ['99999999p', undefined],
  ];
  for (const [text, value] of cases) assert.equal(readBytes(text), value, text);
});

test('booleans and unsigned numbers are read strictly', () => {
  assert.deepEqual(['true', 'T', '1', 'False', '0', 'yes', ''].map(readBoolean), [
    true,
    true,
    true,
    false,
    false,
    undefined,
    undefined,
  ]);
  assert.equal(readUnsigned('0755', 8), 0o755);
  assert.equal(readUnsigned('9', 8), undefined);
  assert.equal(readUnsigned('4294967296', 10), undefined);
  assert.equal(readUnsigned('-1', 10), undefined);
});

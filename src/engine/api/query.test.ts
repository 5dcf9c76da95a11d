/** Query strings are read as Docker reads them, and complaints name the parameter. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFilters, Query } from './query.ts';

test('all but the empty text, 0, no, false and none is true', () => {
  const query = new Query('a=1&b=true&c=yes&d=0&e=False&f=no&g=none&h=');
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'z'].map((name) => query.bool(name)),
    [true, true, true, false, false, false, false, false, false],
  );
  assert.equal(query.bool('z', 'true'), true);
});

test('a whole number is one, within its range', () => {
  const query = new Query('a=12&b=-1&c=1.5&d=0x10&e=99999999999999999999&f=');
  assert.equal(query.int('a'), 12);
  assert.equal(query.int('b'), -1);
  assert.equal(query.int('f'), undefined);
  for (const name of ['c', 'd', 'e'])
    assert.throws(() => query.int(name), new RegExp(`parameter ${name} is not a whole number`));
  assert.throws(() => query.int('a', { max: 5 }), /parameter a is out of range: 12/);
});

test('filters are read in both forms and refused in any other', () => {
  const read = (text: string): unknown =>
    new Query(`filters=${encodeURIComponent(text)}`).filters();
  assert.deepEqual({ ...(read('{"a":["x","y"]}') as object) }, { a: ['x', 'y'] });
  assert.deepEqual({ ...(read('{"a":{"x":true,"y":false}}') as object) }, { a: ['x'] });
  assert.deepEqual(read(''), {});
  assert.deepEqual(read('null'), {});
  assert.throws(() => read('["a"]'), /invalid filter: filters is not a JSON object/);
  assert.throws(() => read('{"a":1}'), /invalid filter 'a'/);
  assert.throws(() => read('{"a":[1]}'), /invalid filter 'a'/);
  assert.throws(() => read('{'), /filters is not valid JSON/);
  assert.throws(() => read(`{"a":["${'x'.repeat(70_000)}"]}`), /longer than 64 KiB/);
});

test('a filter named __proto__ is a filter like any other', () => {
  const filters = new Query(`filters=${encodeURIComponent('{"__proto__":["x"]}')}`).filters();
  assert.throws(() => checkFilters(filters, ['label']), /invalid filter '__proto__'/);
});

test('times are seconds with a fraction or RFC 3339, to the nanosecond', () => {
  const query = new Query(
    'a=1700000000&b=1700000000.123456789&c=2023-11-14T22:13:20.000000001Z&d=0&e=soon&f=2023-11-14T23:13:20%2B01:00',
  );
  assert.equal(query.timeNano('a'), 1.7e18);
  assert.ok(Math.abs((query.timeNano('b') ?? 0) - 1.700000000123456789e18) < 512);
  assert.equal(query.timeNano('c'), 1.7e18 + 1);
  assert.equal(query.timeNano('d'), undefined);
  assert.equal(query.timeNano('f'), 1.7e18);
  assert.throws(() => query.timeNano('e'), /parameter e is not a time: soon/);
});

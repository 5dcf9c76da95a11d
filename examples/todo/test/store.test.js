import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '../src/store.js';

test('a todo is added, marked and removed', () => {
  const store = openStore(':memory:');
  const { id } = store.add('write');
  assert.deepEqual(store.list(), [{ id, title: 'write', done: false }]);
  assert.deepEqual(store.mark(id, true), { id, title: 'write', done: true });
  assert.equal(store.remove(id), true);
  assert.deepEqual(store.list(), []);
});

test('what is not there cannot be marked or removed', () => {
  const store = openStore(':memory:');
  assert.equal(store.mark(7, true), undefined);
  assert.equal(store.remove(7), false);
});

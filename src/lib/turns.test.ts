/** Work in turns: how many at a time, in which order, and what a failure stops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurns, slots } from './turns.ts';

/** Pieces of work that end when they are told to. */
function pieces() {
  const begun: number[] = [];
  const ends = new Map<number, { resolve: () => void; reject: (error: unknown) => void }>();
  const work = (at: number): Promise<void> => {
    begun.push(at);
    return new Promise((resolve, reject) => ends.set(at, { resolve, reject }));
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    begun,
    work,
    end: async (at: number, error?: unknown) => {
      if (error === undefined) ends.get(at)?.resolve();
      else ends.get(at)?.reject(error);
      await settle();
    },
  };
}

test('as many pieces as there are slots are under way, the others in the order of their asking', async () => {
  const { begun, work, end } = pieces();
  const slot = slots(2);
  const all = [0, 1, 2, 3].map((at) => slot(() => work(at)));
  assert.deepEqual(begun, [0, 1]);
  await end(1);
  assert.deepEqual(begun, [0, 1, 2]);
  await end(2);
  await end(0);
  await end(3);
  await Promise.all(all);
});

test('a failed piece gives its slot back', async () => {
  const slot = slots(1);
  await assert.rejects(slot(() => Promise.reject(new Error('no'))));
  assert.equal(await slot(() => Promise.resolve(1)), 1);
});

test('the first failure stops what has not begun, and waits for what has', async () => {
  const { begun, work, end } = pieces();
  let isOver = false;
  const all = inTurns(2, ['a', 'b', 'c'], (_, at) => work(at)).finally(() => (isOver = true));
  const refused = assert.rejects(all, /no/);
  await end(1, new Error('no'));
  assert.deepEqual(begun, [0, 1]);
  assert.equal(isOver, false);
  await end(0);
  await refused;
  assert.deepEqual(begun, [0, 1]);
});

test('nothing to do is done', async () => {
  await inTurns(3, [], () => Promise.reject(new Error('never')));
});

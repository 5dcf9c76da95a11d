/** The bus keeps the last 1,024 events in order and tells listeners apart from their failures. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventBus } from './bus.ts';

const actor = { ID: 'a', Attributes: {} };

test('a subscriber gets the past since its time, then what follows, until it ends', () => {
  let now = 0;
  const bus = createEventBus({
    clock: () => (now += 1e9),
    onError: (error) => assert.fail(String(error)),
  });
  for (const action of ['create', 'start', 'die']) bus.emit('container', action, actor);
  const seen: string[] = [];
  const end = bus.subscribe((event) => seen.push(`${event.Action} ${event.time}`), {
    sinceNano: 2e9,
  });
  bus.emit('container', 'destroy', actor);
  end();
  bus.emit('container', 'create', actor);
  assert.deepEqual(seen, ['start 2', 'die 3', 'destroy 4']);
});

test('only the last 1,024 are remembered, and times never repeat', () => {
  const bus = createEventBus({ onError: (error) => assert.fail(String(error)) });
  for (let at = 0; at < 1500; at += 1) bus.emit('image', String(at), actor);
  const seen: { action: string; time: number }[] = [];
  bus.subscribe((event) => seen.push({ action: event.Action, time: event.timeNano }), {
    sinceNano: 0,
  });
  assert.equal(seen.length, 1024);
  assert.equal(seen[0]?.action, '476');
  for (const [at, { time }] of seen.entries()) assert.ok(time > (seen[at - 1]?.time ?? 0));
});

test('a listener that throws is reported and the others still hear', () => {
  const errors: unknown[] = [];
  const bus = createEventBus({ onError: (error) => errors.push(error) });
  let heard = 0;
  bus.subscribe(() => {
    throw new Error('mine');
  });
  bus.subscribe(() => (heard += 1));
  bus.emit('daemon', 'reload', actor);
  assert.equal(heard, 1);
  assert.equal(errors.length, 1);
});

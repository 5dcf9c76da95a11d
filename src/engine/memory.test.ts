/** Garbage is collected once after each busy time, not while requests come in. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mock, test } from 'node:test';
import { collectWhenQuiet } from './memory.ts';

test('a collection follows three quiet seconds, once', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const server = createServer();
  let collected = 0;
  const stop = collectWhenQuiet(server, () => (collected += 1));
  mock.timers.tick(2000);
  server.emit('request');
  mock.timers.tick(2999);
  assert.equal(collected, 0);
  mock.timers.tick(1);
  assert.equal(collected, 1);
  mock.timers.tick(60_000);
  assert.equal(collected, 1);
  stop();
  server.emit('request');
  mock.timers.tick(60_000);
  assert.equal(collected, 1);
  mock.timers.reset();
});

/** The engine is idle when nobody is connected and nothing runs, and only after its time. */

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:net';
import { mock, test } from 'node:test';
import { watchIdle } from './idle.ts';

async function settle(): Promise<void> {
  for (let at = 0; at < 5; at += 1) await Promise.resolve();
}

test('a connection, or something that runs, puts the end off', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const server = createServer();
  let busy = true;
  let idle = 0;
  const stop = watchIdle(server, {
    seconds: 10,
    isBusy: () => Promise.resolve(busy),
    onIdle: () => (idle += 1),
  });
  const socket = new EventEmitter();
  server.emit('connection', socket);
  mock.timers.tick(60_000);
  await settle();
  assert.equal(idle, 0);
  socket.emit('close');
  mock.timers.tick(10_000);
  await settle();
  assert.equal(idle, 0);
  busy = false;
  mock.timers.tick(9_999);
  await settle();
  assert.equal(idle, 0);
  mock.timers.tick(1);
  await settle();
  assert.equal(idle, 1);
  stop();
  mock.timers.reset();
});

test('zero seconds mean never', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  watchIdle(createServer(), {
    seconds: 0,
    isBusy: () => Promise.resolve(false),
    onIdle: () => assert.fail('it ended'),
  });
  mock.timers.tick(1e9);
  mock.timers.reset();
});

/** The roots come from the choice, then the environment, then the user's folders. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enginePaths } from './paths.ts';

test('a choice wins over the environment, which wins over the defaults', () => {
  const env = { PINNACE_DATA_ROOT: '/d', PINNACE_RUN_ROOT: '/r' };
  assert.deepEqual(enginePaths({ env }), {
    dataRoot: '/d',
    runRoot: '/r',
    socket: '/r/engine.sock',
    log: '/d/engine.log',
  });
  assert.equal(enginePaths({ env, dataRoot: '/x/../y' }).dataRoot, '/y');
});

test('a run root whose socket would not fit is refused with the way out', () => {
  assert.throws(
    () => enginePaths({ env: {}, dataRoot: '/d', runRoot: `/${'r'.repeat(100)}` }),
    /too long for a socket: choose a run root/,
  );
});

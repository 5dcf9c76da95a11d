/** Ends the engine of a user's roots and waits until its process is gone. Its containers go on. */

import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from '../../lib/errors.ts';
import { createClient } from '../api/client.ts';
import { enginePaths } from './paths.ts';
import type { RootChoice } from './paths.ts';
import { servingEngine, startTime } from './start.ts';

const GONE_WITHIN_MS = 30_000;
const POLL_MS = 10;

/** false: none was running. Throws EngineError (unavailable) when it does not end within 30 s. */
export async function stopEngine(choice: RootChoice = {}): Promise<boolean> {
  const { socket } = enginePaths(choice);
  const running = await servingEngine(socket);
  if (running === undefined) return false;
  const started = startTime(running.pid);
  const client = createClient({ socketPath: socket });
  try {
    await client.system.shutdown();
  } finally {
    client.close();
  }
  const deadline = performance.now() + GONE_WITHIN_MS;
  while (started !== undefined && startTime(running.pid) === started) {
    if (performance.now() > deadline) {
      throw new EngineError(
        'unavailable',
        `the engine (process ${running.pid}) has not ended within ${GONE_WITHIN_MS / 1000} s`,
      );
    }
    await delay(POLL_MS);
  }
  return true;
}

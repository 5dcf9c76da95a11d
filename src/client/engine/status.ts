/** Tells whether the engine of a user's roots serves, and how. It starts nothing. */

import type { PinnaceInfo } from '../../lib/api/system.ts';
import { enginePaths } from './paths.ts';
import type { RootChoice } from './paths.ts';
import { servingEngine } from './start.ts';

/** undefined: no engine serves there. */
export async function engineStatus(choice: RootChoice = {}): Promise<PinnaceInfo | undefined> {
  return servingEngine(enginePaths(choice).socket);
}

/** Pinnace's own routes, beyond Docker's API. */

import type { PinnaceInfo } from '../../../lib/api/system.ts';
import type { Handlers } from '../exchange.ts';
import { sendEmpty, sendJson } from '../exchange.ts';

/** What these routes call. */
export interface EngineControl {
  describe(): Promise<PinnaceInfo>;
  /** Begins to end the engine; containers go on. */
  shutdown(): void;
}

export function pinnaceRoutes(
  engine: EngineControl,
): Pick<Handlers, 'pinnace.info' | 'pinnace.shutdown'> {
  return {
    'pinnace.info': async (exchange) => sendJson(exchange, await engine.describe()),
    'pinnace.shutdown': (exchange) => {
      exchange.response.once('finish', () => engine.shutdown());
      exchange.response.shouldKeepAlive = false;
      sendEmpty(exchange);
    },
  };
}

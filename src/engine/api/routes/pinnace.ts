/** Pinnace's own routes, beyond Docker's API. */

import type { Duplex } from 'node:stream';
import type { ListeningPort } from '../../../lib/api/containers.ts';
import type { PinnaceInfo } from '../../../lib/api/system.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { Handlers } from '../exchange.ts';
import { param, sendEmpty, sendJson } from '../exchange.ts';
import { hijack } from '../streams.ts';

/** What these routes call. */
export interface EngineControl {
  describe(): Promise<PinnaceInfo>;
  /** Begins to end the engine; containers go on. */
  shutdown(): void;
}

/** What the routes into containers call. */
export interface ContainerPorts {
  listeningPorts(ref: string): Promise<ListeningPort[]>;
  dial(ref: string, port: number): Promise<Duplex>;
}

type Names = 'pinnace.info' | 'pinnace.shutdown' | 'pinnace.ports' | 'pinnace.dial';

export function pinnaceRoutes(
  engine: EngineControl,
  containers: ContainerPorts,
): Pick<Handlers, Names> {
  return {
    'pinnace.info': async (exchange) => sendJson(exchange, await engine.describe()),
    'pinnace.shutdown': (exchange) => {
      exchange.response.once('finish', () => engine.shutdown());
      exchange.response.shouldKeepAlive = false;
      sendEmpty(exchange);
    },
    'pinnace.ports': async (exchange) =>
      sendJson(exchange, await containers.listeningPorts(param(exchange, 'id'))),
    'pinnace.dial': async (exchange) => {
      const port = exchange.query.int('port', { min: 1, max: 65_535 });
      if (port === undefined)
        throw new EngineError('invalid', 'the query parameter port is missing');
      const stream = await containers.dial(param(exchange, 'id'), port);
      await hijack(exchange, { tty: true, stream }, { input: true, ends: 'each' });
    },
  };
}

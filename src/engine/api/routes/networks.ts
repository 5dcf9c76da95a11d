/** The routes of networks. */

import type { Filters, NetworkCreateRequest, NetworkInfo } from '../../../lib/api/system.ts';
import { EngineError } from '../../../lib/errors.ts';
import { requireJson } from '../body.ts';
import type { Exchange, Handlers } from '../exchange.ts';
import { param, sendEmpty, sendJson } from '../exchange.ts';
import { checkFilters } from '../query.ts';
import { NETWORK_CREATE_SHAPE, NETWORK_MEMBER_SHAPE } from '../shapes.ts';

type Answer<T> = T | Promise<T>;

/** What these routes call. */
export interface NetworkService {
  list(filters: Filters): Answer<NetworkInfo[]>;
  get(reference: string): Answer<NetworkInfo>;
  create(request: NetworkCreateRequest): Answer<{ Id: string; Warning: string }>;
  remove(reference: string): Answer<void>;
  connect(reference: string, container: string): Answer<void>;
  disconnect(reference: string, container: string): Answer<void>;
  prune(): Answer<{ NetworksDeleted: string[] }>;
}

type Names =
  | 'network.list'
  | 'network.inspect'
  | 'network.remove'
  | 'network.create'
  | 'network.connect'
  | 'network.disconnect'
  | 'network.prune';

export function networkRoutes(networks: NetworkService): Pick<Handlers, Names> {
  return {
    'network.list': async (exchange) => {
      const filters = exchange.query.filters();
      checkFilters(filters, ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']);
      sendJson(exchange, await networks.list(filters));
    },
    'network.inspect': async (exchange) =>
      sendJson(exchange, await networks.get(param(exchange, 'id'))),
    'network.remove': async (exchange) => {
      await networks.remove(param(exchange, 'id'));
      sendEmpty(exchange);
    },
    'network.create': async (exchange) => {
      const request = await requireJson<NetworkCreateRequest>(exchange.body, NETWORK_CREATE_SHAPE);
      if (typeof request.Name !== 'string' || request.Name === '') {
        throw new EngineError('invalid', 'Name: a network needs a name');
      }
      sendJson(exchange, await networks.create(request), 201);
    },
    'network.connect': async (exchange) => {
      await networks.connect(param(exchange, 'id'), await memberOf(exchange));
      sendEmpty(exchange, 200);
    },
    'network.disconnect': async (exchange) => {
      await networks.disconnect(param(exchange, 'id'), await memberOf(exchange));
      sendEmpty(exchange, 200);
    },
    'network.prune': async (exchange) => {
      checkFilters(exchange.query.filters(), ['until', 'label', 'label!']);
      sendJson(exchange, await networks.prune());
    },
  };
}

async function memberOf(exchange: Exchange): Promise<string> {
  const { Container } = await requireJson<{ Container?: string }>(
    exchange.body,
    NETWORK_MEMBER_SHAPE,
  );
  if (Container === undefined || Container === '')
    throw new EngineError('invalid', 'Container: the name of a container is missing');
  return Container;
}

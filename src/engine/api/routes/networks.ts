/** The routes of networks. */

import type { EndpointSettings } from '../../../lib/api/containers.ts';
import type {
  Filters,
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
  NetworkInfo,
} from '../../../lib/api/system.ts';
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
  connect(reference: string, container: string, settings: EndpointSettings): Answer<void>;
  disconnect(reference: string, container: string, options: { force: boolean }): Answer<void>;
  prune(filters: Filters): Answer<{ NetworksDeleted: string[] }>;
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
      const request = await memberOf<NetworkConnectRequest>(exchange);
      const settings = request.EndpointConfig ?? {};
      await networks.connect(param(exchange, 'id'), request.Container, settings);
      sendEmpty(exchange, 200);
    },
    'network.disconnect': async (exchange) => {
      const request = await memberOf<NetworkDisconnectRequest>(exchange);
      const force = request.Force ?? false;
      await networks.disconnect(param(exchange, 'id'), request.Container, { force });
      sendEmpty(exchange, 200);
    },
    'network.prune': async (exchange) => {
      const filters = exchange.query.filters();
      checkFilters(filters, ['until', 'label', 'label!']);
      sendJson(exchange, await networks.prune(filters));
    },
  };
}

async function memberOf<T extends { Container: string }>(exchange: Exchange): Promise<T> {
  const request = await requireJson<T>(exchange.body, NETWORK_MEMBER_SHAPE);
  if (typeof request.Container !== 'string' || request.Container === '')
    throw new EngineError('invalid', 'Container: the name of a container is missing');
  return request;
}

/** The routes of containers but for their streams and files: it turns requests into calls and calls' answers into wire form. */

import type {
  ContainerCreateRequest,
  ContainerInspect,
  ContainerSummary,
} from '../../../lib/api/containers.ts';
import type { Filters } from '../../../lib/api/system.ts';
import { EngineError } from '../../../lib/errors.ts';
import { requireJson } from '../body.ts';
import type { Exchange, Handlers } from '../exchange.ts';
import { param, sendEmpty, sendJson } from '../exchange.ts';
import { checkFilters } from '../query.ts';
import { CREATE_SHAPE, UPDATE_SHAPE } from '../shapes.ts';

type Condition = 'not-running' | 'next-exit' | 'removed';

/** What these routes call. */
export interface ContainerService {
  create(
    name: string | undefined,
    request: ContainerCreateRequest,
  ): Promise<{ Id: string; Warnings: string[] }>;
  list(options: {
    all: boolean;
    limit: number;
    size: boolean;
    filters: Filters;
  }): Promise<ContainerSummary[]>;
  inspect(ref: string, options: { size: boolean }): Promise<ContainerInspect>;
  start(ref: string): Promise<'started' | 'not-modified'>;
  stop(
    ref: string,
    options: { timeout?: number; signal?: string },
  ): Promise<'stopped' | 'not-modified'>;
  restart(ref: string, options: { timeout?: number; signal?: string }): Promise<void>;
  kill(ref: string, signal: string): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  remove(ref: string, options: { force: boolean; volumes: boolean }): Promise<void>;
  unlink(reference: string): Promise<void>;
  wait(
    ref: string,
    condition: Condition,
    signal: AbortSignal,
  ): Promise<{ StatusCode: number; Error: { Message: string } | null }>;
  resize(ref: string, height: number, width: number): Promise<void>;
  top(ref: string, psArgs: string): Promise<{ Titles: string[]; Processes: string[][] }>;
  changes(ref: string): Promise<{ Path: string; Kind: 0 | 1 | 2 }[]>;
  update(ref: string, resources: Record<string, unknown>): Promise<{ Warnings: string[] }>;
  prune(filters: Filters): Promise<{ ContainersDeleted: string[]; SpaceReclaimed: number }>;
}

const LIST_FILTERS = [
  'ancestor',
  'before',
  'expose',
  'exited',
  'health',
  'id',
  'isolation',
  'is-task',
  'label',
  'label!',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];

const CONDITIONS: readonly string[] = ['not-running', 'next-exit', 'removed'];

type Names =
  | 'container.list'
  | 'container.create'
  | 'container.inspect'
  | 'container.top'
  | 'container.changes'
  | 'container.resize'
  | 'container.start'
  | 'container.stop'
  | 'container.restart'
  | 'container.kill'
  | 'container.update'
  | 'container.rename'
  | 'container.pause'
  | 'container.unpause'
  | 'container.wait'
  | 'container.remove'
  | 'container.prune';

export function containerRoutes(containers: ContainerService): Pick<Handlers, Names> {
  return {
    ...collectionRoutes(containers),
    ...singleRoutes(containers),
    ...lifeRoutes(containers),
  };
}

/** The routes of all containers together. */
function collectionRoutes(
  containers: ContainerService,
): Pick<Handlers, 'container.list' | 'container.create' | 'container.prune'> {
  return {
    'container.list': async (exchange) => {
      const { query } = exchange;
      const filters = query.filters();
      checkFilters(filters, LIST_FILTERS);
      const limit = Math.max(0, query.int('limit') ?? 0);
      // A status filter looks at stopped containers too, as dockerd does.
      const all = query.bool('all') || limit > 0 || 'status' in filters;
      sendJson(exchange, await containers.list({ all, limit, size: query.bool('size'), filters }));
    },
    'container.create': async (exchange) => {
      const request = await requireJson<ContainerCreateRequest>(exchange.body, CREATE_SHAPE);
      const name = exchange.query.optional('name');
      sendJson(exchange, await containers.create(name, request), 201);
    },
    'container.prune': async (exchange) => {
      const filters = exchange.query.filters();
      checkFilters(filters, ['until', 'label', 'label!']);
      sendJson(exchange, await containers.prune(filters));
    },
  };
}

/** The routes that look at one container or change its properties. */
function singleRoutes(
  containers: ContainerService,
): Pick<
  Handlers,
  | 'container.inspect'
  | 'container.top'
  | 'container.changes'
  | 'container.resize'
  | 'container.update'
  | 'container.rename'
> {
  return {
    'container.inspect': async (exchange) => {
      const size = exchange.query.bool('size');
      sendJson(exchange, await containers.inspect(param(exchange, 'id'), { size }));
    },
    'container.top': async (exchange) => {
      sendJson(
        exchange,
        await containers.top(param(exchange, 'id'), exchange.query.text('ps_args')),
      );
    },
    'container.changes': async (exchange) => {
      sendJson(exchange, await containers.changes(param(exchange, 'id')));
    },
    'container.resize': async (exchange) => {
      const { height, width } = sizeOf(exchange);
      await containers.resize(param(exchange, 'id'), height, width);
      sendEmpty(exchange, 200);
    },
    'container.update': async (exchange) => {
      const request = await requireJson<Record<string, unknown>>(exchange.body, UPDATE_SHAPE);
      sendJson(exchange, await containers.update(param(exchange, 'id'), request));
    },
    'container.rename': async (exchange) => {
      await containers.rename(param(exchange, 'id'), exchange.query.required('name'));
      sendEmpty(exchange);
    },
  };
}

/** The routes of a container's life. */
function lifeRoutes(
  containers: ContainerService,
): Pick<
  Handlers,
  | 'container.start'
  | 'container.stop'
  | 'container.restart'
  | 'container.kill'
  | 'container.pause'
  | 'container.unpause'
  | 'container.wait'
  | 'container.remove'
> {
  return {
    'container.start': async (exchange) => {
      const outcome = await containers.start(param(exchange, 'id'));
      sendEmpty(exchange, outcome === 'not-modified' ? 304 : 204);
    },
    'container.stop': async (exchange) => {
      const outcome = await containers.stop(param(exchange, 'id'), stopOptions(exchange));
      sendEmpty(exchange, outcome === 'not-modified' ? 304 : 204);
    },
    'container.restart': async (exchange) => {
      await containers.restart(param(exchange, 'id'), stopOptions(exchange));
      sendEmpty(exchange);
    },
    'container.kill': async (exchange) => {
      await containers.kill(param(exchange, 'id'), exchange.query.optional('signal') ?? 'KILL');
      sendEmpty(exchange);
    },
    'container.pause': async (exchange) => {
      await containers.pause(param(exchange, 'id'));
      sendEmpty(exchange);
    },
    'container.unpause': async (exchange) => {
      await containers.unpause(param(exchange, 'id'));
      sendEmpty(exchange);
    },
    'container.wait': async (exchange) => waitFor(containers, exchange),
    'container.remove': async (exchange) => {
      const { query } = exchange;
      if (query.bool('link')) {
        await containers.unlink(param(exchange, 'id'));
        sendEmpty(exchange);
        return;
      }
      await containers.remove(param(exchange, 'id'), {
        force: query.bool('force'),
        volumes: query.bool('v'),
      });
      sendEmpty(exchange);
    },
  };
}

/** The head goes out as soon as the container is watched: `docker run` starts the container only then. */
async function waitFor(containers: ContainerService, exchange: Exchange): Promise<void> {
  const condition = exchange.query.optional('condition') ?? 'not-running';
  if (!CONDITIONS.includes(condition))
    throw new EngineError('invalid', `invalid condition: "${condition}"`);
  const ended = containers.wait(param(exchange, 'id'), condition as Condition, exchange.signal);
  // What is wrong with the request shows before the next turn of the event loop, and is an ordinary error.
  const turn = new Promise<'waiting'>((resolve) => setImmediate(resolve, 'waiting'));
  await Promise.race([ended, turn]);
  exchange.response.writeHead(200, { 'Content-Type': 'application/json' });
  exchange.response.flushHeaders();
  try {
    const { StatusCode, Error: failure } = await ended;
    exchange.response.end(
      `${JSON.stringify(failure === null ? { StatusCode } : { StatusCode, Error: failure })}\n`,
    );
  } catch (error) {
    if (!exchange.signal.aborted) throw error;
  }
}

/** `h` and `w` of a resize. */
export function sizeOf(exchange: Exchange): { height: number; width: number } {
  const range = { min: 0, max: 65_535 };
  const height = exchange.query.int('h', range);
  const width = exchange.query.int('w', range);
  if (height === undefined)
    throw new EngineError('invalid', 'the query parameter h (height) is missing');
  if (width === undefined)
    throw new EngineError('invalid', 'the query parameter w (width) is missing');
  return { height, width };
}

function stopOptions(exchange: Exchange): { timeout?: number; signal?: string } {
  const timeout = exchange.query.int('t', { min: -1, max: 2_000_000_000 });
  const signal = exchange.query.optional('signal');
  return {
    ...(timeout === undefined ? {} : { timeout }),
    ...(signal === undefined ? {} : { signal }),
  };
}

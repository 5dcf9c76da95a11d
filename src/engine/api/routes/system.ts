/** The routes of the engine itself: ping, version, info, disk usage, events and registry logins. */

import type {
  AuthAnswer,
  AuthConfig,
  DiskUsage,
  EventMessage,
  Filters,
  SystemInfo,
  Version,
} from '../../../lib/api/system.ts';
import { EngineError } from '../../../lib/errors.ts';
import { requireJson } from '../body.ts';
import type { Exchange, Handlers } from '../exchange.ts';
import { sendJson } from '../exchange.ts';
import { checkFilters } from '../query.ts';
import { AUTH_FIELDS } from '../shapes.ts';
import { openLines } from '../streams.ts';
import { matchesLabels } from './filters.ts';

/** What these routes call. */
export interface SystemService {
  version(): Version;
  info(): Promise<SystemInfo>;
  diskUsage(): Promise<DiskUsage>;
  /** Checks credentials against their registry. */
  login(credentials: AuthConfig, signal: AbortSignal): Promise<AuthAnswer>;
}

/** The engine's event bus, as far as the stream needs it. */
export interface EventSource {
  subscribe(listener: (event: SourceEvent) => void, options?: { sinceNano?: number }): () => void;
}

interface SourceEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: string;
  readonly time: number;
  readonly timeNano: number;
}

/** The longest that one timer may wait (2³¹ ms). */
const MAX_TIMER_MS = 0x7fff_ffff;

const EVENT_FILTERS = [
  'builder',
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
];

type Names =
  | 'system.ping'
  | 'system.ping-head'
  | 'system.version'
  | 'system.info'
  | 'system.df'
  | 'system.events'
  | 'system.auth'
  | 'plugin.list'
  | 'plugin.inspect';

export function systemRoutes(system: SystemService, events: EventSource): Pick<Handlers, Names> {
  return {
    // There are no plugins: clients that look for one of any name get Docker's own answers.
    'plugin.list': (exchange) => sendJson(exchange, []),
    'plugin.inspect': ({ params }) => {
      throw new EngineError('not-found', `plugin "${params['name'] ?? ''}" not found`);
    },
    'system.ping': ping,
    'system.ping-head': ping,
    'system.version': (exchange) => sendJson(exchange, system.version()),
    'system.info': async (exchange) => sendJson(exchange, await system.info()),
    'system.df': async (exchange) => {
      const usage = await system.diskUsage();
      const types = exchange.query.all('type');
      const part = <T>(name: string, value: T[]): T[] =>
        types.length === 0 || types.includes(name) ? value : [];
      sendJson(exchange, {
        ...usage,
        Images: part('image', usage.Images),
        Containers: part('container', usage.Containers),
        Volumes: part('volume', usage.Volumes),
        BuildCache: part('build-cache', usage.BuildCache),
      });
    },
    'system.events': (exchange) => sendEvents(events, exchange),
    'system.auth': async (exchange) => {
      const credentials = await requireJson<AuthConfig>(exchange.body, AUTH_FIELDS);
      sendJson(exchange, await system.login(credentials, exchange.signal));
    },
  };
}

/** `Builder-Version: 1`: clients use the classic builder unless told otherwise. */
function ping(exchange: Exchange): void {
  const { response } = exchange;
  response.writeHead(200, {
    'Builder-Version': '1',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': 2,
  });
  response.end('OK');
}

function sendEvents(events: EventSource, exchange: Exchange): void {
  const { query, signal } = exchange;
  const filters = query.filters();
  checkFilters(filters, EVENT_FILTERS);
  const since = query.timeNano('since');
  const until = query.timeNano('until');
  const lines = openLines(exchange, { begin: 'now' });
  const listener = (event: SourceEvent): void => {
    if (until !== undefined && event.timeNano > until) return;
    if (matches(event, filters)) lines.write(message(event));
  };
  const last = until === undefined ? undefined : until / 1e6 - Date.now();
  // Without a `since`, an `until` in the past still tells what the ring remembers up to then.
  const sinceNano = since ?? (last !== undefined && last <= 0 ? 0 : undefined);
  const stop = events.subscribe(listener, sinceNano === undefined ? {} : { sinceNano });
  const timer =
    last === undefined ? undefined : setTimeout(finish, Math.min(Math.max(last, 0), MAX_TIMER_MS));
  signal.addEventListener('abort', finish, { once: true });
  function finish(): void {
    clearTimeout(timer);
    stop();
    lines.end();
  }
}

/** The form of API 1.21 rides along for containers and images, as in dockerd. */
function message(event: SourceEvent): EventMessage {
  const { Type, Action, Actor, scope, time, timeNano } = event;
  const actor = { ID: Actor.ID, Attributes: { ...Actor.Attributes } };
  const old =
    Type === 'container'
      ? { status: Action, id: Actor.ID, from: Actor.Attributes['image'] ?? '' }
      : Type === 'image'
        ? { status: Action, id: Actor.ID }
        : {};
  return { ...old, Type, Action, Actor: actor, scope, time, timeNano };
}

function matches(event: SourceEvent, filters: Filters): boolean {
  const { ID, Attributes } = event.Actor;
  const has = (name: string, accept: (value: string) => boolean): boolean =>
    filters[name]?.some(accept) ?? true;
  const names = (type: string): boolean =>
    has(
      type,
      (value) => event.Type === type && (ID.startsWith(value) || Attributes['name'] === value),
    );
  return (
    has('type', (value) => value === event.Type) &&
    has('scope', (value) => value === event.scope) &&
    // `exec_start: sh` is found by `exec_start`.
    has('event', (value) => value === event.Action || event.Action.startsWith(`${value}:`)) &&
    ['container', 'volume', 'network', 'daemon', 'builder'].every(names) &&
    has('image', (value) => imageMatches(event, value)) &&
    ['config', 'node', 'plugin', 'secret', 'service'].every((type) => !(type in filters)) &&
    matchesLabels(Attributes, filters)
  );
}

/** An image's events, and those of the containers made from it; a name matches with and without its tag. */
function imageMatches(event: SourceEvent, value: string): boolean {
  const { ID, Attributes } = event.Actor;
  const name = (event.Type === 'image' ? Attributes['name'] : Attributes['image']) ?? '';
  const withoutTag = name.replace(/:[^:/]*$/, '');
  return (
    (event.Type === 'image' && (ID === value || ID.startsWith(value))) ||
    name === value ||
    withoutTag === value
  );
}

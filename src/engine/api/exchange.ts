/** One request and the ways to answer it. Route handlers see nothing of the server but this. */

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Socket } from 'node:net';
import { EngineError } from '../../lib/errors.ts';
import type { BuiltRouteName, Route } from '../../lib/api/routes.ts';
import { compareVersions } from '../../lib/api/versions.ts';
import { isRecord } from '../../lib/record.ts';
import type { Query } from './query.ts';
import { parseJson } from './body.ts';

export interface Exchange {
  readonly route: Route;
  /** The API version the client asked for, e.g. `1.43`. */
  readonly version: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Whether the client asked for `Upgrade: tcp`. */
  readonly upgrade: boolean;
  /** Aborted when the client goes away before its answer is complete. */
  readonly signal: AbortSignal;
}

export type Handler = (exchange: Exchange) => Promise<void> | void;

/** One handler for every built route. */
export type Handlers = Readonly<Record<BuiltRouteName, Handler>>;

/** The path's parameter; the router has filled it. */
export function param(exchange: Exchange, name: 'id' | 'name'): string {
  const value = exchange.params[name];
  if (value === undefined)
    throw new EngineError('internal', `${exchange.route.path} has no {${name}}`);
  return value;
}

/** Whether the client speaks at least `version`. */
export function speaks(exchange: Exchange, version: string): boolean {
  return compareVersions(exchange.version, version) >= 0;
}

export function sendJson(exchange: Exchange, value: unknown, status: 200 | 201 = 200): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  exchange.response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
  });
  exchange.response.end(body);
}

/** An answer without a body. */
export function sendEmpty(exchange: Exchange, status: 200 | 201 | 204 | 304 = 204): void {
  exchange.response.writeHead(
    status,
    status === 200 || status === 201 ? { 'Content-Length': 0 } : {},
  );
  exchange.response.end();
}

/** The JSON object in a base64url header (X-Registry-Auth, X-Registry-Config); undefined when absent or empty. */
export function jsonHeader(exchange: Exchange, name: string): Record<string, unknown> | undefined {
  const value = exchange.headers[name];
  if (typeof value !== 'string' || value === '') return undefined;
  if (!/^[A-Za-z0-9+/_-]+=*$/.test(value))
    throw new EngineError('invalid', `the header ${name} is not base64`);
  const text = Buffer.from(value, 'base64url').toString('utf8').trim();
  if (text === '') return undefined;
  const parsed = parseJson(text, `the header ${name}`);
  if (parsed === null) return undefined;
  if (!isRecord(parsed))
    throw new EngineError('invalid', `the header ${name} is not a JSON object`);
  return parsed;
}

/**
 * The HTTP server of the Engine API: version negotiation, routing, the headers and the errors that all
 * answers share. It acts on nothing itself; handlers do.
 */

import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import { API_VERSION, versionProblem } from '../../lib/api/versions.ts';
import type { BuiltRouteName, Route } from '../../lib/api/routes.ts';
import { sendError } from './errors.ts';
import type { Exchange, Handlers } from './exchange.ts';
import { Query } from './query.ts';
import { RequestBody } from './request-body.ts';
import { createRouter } from './router.ts';
import { readUpgradeBody } from './upgrade.ts';

export interface ApiServerOptions {
  readonly handlers: Handlers;
  /** Pinnace's version, for the Server header. */
  readonly version: string;
  readonly onError: (message: string) => void;
}

const MAX_TARGET = 64 * 1024;

/** A server that is not yet listening. `closeAllConnections` cuts the hijacked connections too. */
export function createApiServer(options: ApiServerOptions): Server {
  const router = createRouter();
  const hijacked = new Set<Socket>();
  const answer = (
    request: IncomingMessage,
    response: ServerResponse,
    body: Readable,
    upgrade: boolean,
  ): void => {
    response.setHeader('Api-Version', API_VERSION);
    response.setHeader('Docker-Experimental', 'false');
    response.setHeader('Ostype', 'linux');
    response.setHeader('Server', `Pinnace/${options.version} (linux)`);
    serve(request, response, { body, upgrade }, { router, handlers: options.handlers }).catch(
      (error: unknown) => {
        if (kindOf(error) === 'internal')
          options.onError(`${request.method ?? ''} ${request.url ?? ''}: ${describe(error)}`);
        sendError(response, error);
      },
    );
  };
  const server = createServer(
    // A build context may take its time; a request's head may not.
    {
      requestTimeout: 0,
      headersTimeout: 30_000,
      keepAliveTimeout: 5_000,
      maxHeaderSize: MAX_TARGET,
    },
    (request, response) => {
      answer(request, response, new RequestBody(request), isTcpUpgrade(request));
    },
  );
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    hijacked.add(socket);
    socket.once('close', () => hijacked.delete(socket));
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.shouldKeepAlive = false;
    response.once('finish', () => socket.end());
    readUpgradeBody(request, socket, head).then(
      (body) => {
        answer(
          request,
          response,
          Readable.from(body.length === 0 ? [] : [body]),
          isTcpUpgrade(request),
        );
      },
      (error: unknown) => sendError(response, error),
    );
  });
  server.on('clientError', (error: Error & { code?: string }, socket) => {
    refuse(socket, error);
  });
  const closeAll = server.closeAllConnections.bind(server);
  server.closeAllConnections = () => {
    for (const socket of hijacked) socket.destroy();
    closeAll();
  };
  return server;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  input: { readonly body: Readable; readonly upgrade: boolean },
  parts: { readonly router: ReturnType<typeof createRouter>; readonly handlers: Handlers },
): Promise<void> {
  const { version, path, query } = parseTarget(request.url ?? '/');
  const problem = versionProblem(version);
  if (problem !== undefined) throw new EngineError('invalid', problem);
  const method = request.method ?? 'GET';
  const match = parts.router(method, path);
  if (match === undefined) throw new EngineError('not-found', `page not found: ${method} ${path}`);
  const handler = parts.handlers[match.route.name as BuiltRouteName] as
    Handlers[BuiltRouteName] | undefined;
  if (match.route.state !== 'built' || handler === undefined) throw missing(match.route);
  const { socket } = request;
  const exchange: Exchange = {
    ...match,
    version,
    query: new Query(query),
    headers: request.headers,
    ...input,
    response,
    socket,
    signal: signalOf(response, socket),
  };
  await handler(exchange);
}

/** The `/v1.43` in front, the path and the query of a request's target. */
function parseTarget(target: string): { version: string; path: string; query: string } {
  const plain = /^http:\/\/[^/]*(\/.*)$/.exec(target)?.[1] ?? target;
  const mark = plain.indexOf('?');
  const whole = mark < 0 ? plain : plain.slice(0, mark);
  const query = mark < 0 ? '' : plain.slice(mark + 1);
  const found = /^\/v(\d{1,3}\.\d{1,4})(\/.*)$/.exec(whole);
  const path = found?.[2] ?? whole;
  return {
    version: found?.[1] ?? API_VERSION,
    path: path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path,
    query,
  };
}

function missing(route: Route): EngineError {
  const name = `${route.method} ${route.path}`;
  const reason =
    route.state === 'absent'
      ? 'is a part of Docker (swarm or plugins) that Pinnace does not have'
      : 'is not implemented by this version of Pinnace yet';
  return new EngineError('not-implemented', `${name} (${route.summary}) ${reason}`);
}

/** Aborted when the connection closes before the answer is complete. */
function signalOf(response: ServerResponse, socket: Socket): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => {
    socket.off('close', abort);
    if (!response.writableFinished)
      controller.abort(new EngineError('cancelled', 'the client went away'));
  };
  socket.once('close', abort);
  response.once('finish', () => socket.off('close', abort));
  return controller.signal;
}

function isTcpUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'tcp';
}

/** What cannot even be parsed gets one plain answer. */
function refuse(socket: Duplex, error: Error & { code?: string }): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : '400 Bad Request';
  const body = `${JSON.stringify({ message: `not a request this server can read: ${error.message}` })}\n`;
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
}

function describe(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
}

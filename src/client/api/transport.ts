/**
 * Carries requests to an engine over a unix socket or TCP: plain answers, streams and hijacked
 * connections. It knows the route table and the error form, but no single endpoint.
 * It is built on node:http, whose sockets can be hijacked with a request body (`exec start` needs that).
 */

import { Agent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions as HttpOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../lib/errors.ts';
import { pathOf, routeOf } from '../../lib/api/routes.ts';
import type { RouteName } from '../../lib/api/routes.ts';
import { kindOfStatus } from '../../lib/api/status.ts';
import { API_VERSION } from '../../lib/api/versions.ts';

/** Where an engine listens. */
export type Address =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number }
  /** Anything else that carries bytes both ways (TLS, ssh); `name` is how errors call it. */
  | { readonly name: string; readonly dial: () => Promise<Duplex> };

export type QueryValue = string | number | boolean | readonly string[] | undefined;

export interface CallOptions {
  /** Fill the route's `{id}` or `{name}`. */
  readonly params?: Readonly<Record<string, string>>;
  /** A list is repeated (`t=a&t=b`), true is `1`, false and undefined are left out. */
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** A value sent as JSON. */
  readonly json?: unknown;
  /** A stream sent chunked; destroyed when the call fails. */
  readonly body?: Readable;
  readonly signal?: AbortSignal;
}

/** A connection handed over by the engine: what is read comes from the container, what is written goes to it. */
export interface Hijacked {
  /** `end()` half-closes: the container's standard input ends, its output goes on. */
  readonly socket: Socket;
  readonly contentType: string;
}

const ERROR_BODY_LIMIT = 1024 * 1024;

/** One engine's transport; `close` ends its idle connections. */
export class Transport {
  readonly address: Address;
  /** The version in the path; lowered by the client's negotiate() for older engines. */
  version: string = API_VERSION;
  private readonly agent: Agent;

  constructor(address: Address) {
    this.address = address;
    const options = { keepAlive: true, maxFreeSockets: 4 };
    this.agent = 'dial' in address ? new DialAgent(address.dial, options) : new Agent(options);
  }

  /** Sends the request and resolves with a successful (or 304) answer, its body unread. Throws EngineError otherwise. */
  async open(name: RouteName, options: CallOptions = {}): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = this.start(name, options, {});
    let answered = false;
    request.on('response', (answer: IncomingMessage) => {
      answered = true;
      this.nameBreaks(answer, options.signal);
      resolve(answer);
    });
    request.on('error', (error) => reject(this.connectionError(error, options.signal)));
    send(request, options).catch((error: unknown) => {
      // An engine that answers before it has read the whole body closes the request's way in.
      if (!answered)
        reject(
          error instanceof EngineError
            ? error
            : this.connectionError(error as Error, options.signal),
        );
    });
    const answer = await promise.catch((error: unknown) => {
      request.destroy();
      throw error;
    });
    if (isFailure(answer)) throw await errorOf(answer);
    return answer;
  }

  /** The JSON of a successful answer; undefined for an empty one. */
  async json<T>(name: RouteName, options: CallOptions = {}): Promise<T> {
    const answer = await this.open(name, options);
    const text = await readText(answer, Number.POSITIVE_INFINITY);
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new EngineError('internal', `the engine's answer to ${name} is not JSON`, { cause });
    }
  }

  /** For calls whose answer has no body; tells a 304 apart. */
  async send(name: RouteName, options: CallOptions = {}): Promise<'done' | 'not-modified'> {
    const answer = await this.open(name, options);
    answer.resume();
    return answer.statusCode === 304 ? 'not-modified' : 'done';
  }

  /** Takes the connection over (`Upgrade: tcp`). */
  async hijack(name: RouteName, options: CallOptions = {}): Promise<Hijacked> {
    const { promise, resolve, reject } = Promise.withResolvers<Hijacked>();
    const request = this.start(name, options, { Connection: 'Upgrade', Upgrade: 'tcp' });
    request.on('upgrade', (answer: IncomingMessage, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve({ socket, contentType: answer.headers['content-type'] ?? '' });
    });
    request.on('response', (answer: IncomingMessage) => {
      errorOf(answer).then(reject, reject);
    });
    request.on('error', (error) => reject(this.connectionError(error, options.signal)));
    await send(request, options);
    return promise;
  }

  close(): void {
    this.agent.destroy();
  }

  private start(
    name: RouteName,
    options: CallOptions,
    extra: Record<string, string>,
  ): ClientRequest {
    const { method } = routeOf(name);
    const headers: Record<string, string> = { Host: 'pinnace', ...options.headers, ...extra };
    if (options.json !== undefined) headers['Content-Type'] = 'application/json';
    if (options.body !== undefined) headers['Content-Type'] ??= 'application/x-tar';
    const prefix = name === 'system.ping' || name === 'system.ping-head' ? '' : `/v${this.version}`;
    const where: HttpOptions =
      'socketPath' in this.address
        ? { socketPath: this.address.socketPath }
        : 'dial' in this.address
          ? {}
          : { host: this.address.host, port: this.address.port };
    return httpRequest({
      ...where,
      method,
      path: `${prefix}${pathOf(name, options.params)}${queryString(options.query)}`,
      headers,
      // A hijacked or long-lived connection never returns to the pool; node:http sees to that.
      agent: this.agent,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  /** Who reads a body whose connection breaks is told which connection, and why where that is known; node:http says `aborted`. */
  private nameBreaks(answer: IncomingMessage, signal: AbortSignal | undefined): void {
    const destroy = answer.destroy.bind(answer);
    answer.destroy = (error) =>
      destroy(
        error === undefined
          ? undefined
          : this.connectionError(answer.socket.errored ?? error, signal),
      );
  }

  private connectionError(
    error: Error & { code?: string },
    signal: AbortSignal | undefined,
  ): EngineError {
    if (signal?.aborted === true)
      return new EngineError('cancelled', 'the call was cancelled', { cause: error });
    if (error instanceof EngineError) return error;
    const where = nameOf(this.address);
    const code = error.code ?? '';
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES') {
      return new EngineError(
        'unavailable',
        `cannot reach an engine at ${where} (${code}); is it running?`,
        {
          cause: error,
          errno: code,
        },
      );
    }
    return new EngineError('unavailable', `the connection to ${where} broke: ${error.message}`, {
      cause: error,
    });
  }
}

/** An address as people write it. */
function nameOf(address: Address): string {
  if ('socketPath' in address) return `unix://${address.socketPath}`;
  return 'dial' in address ? address.name : `tcp://${address.host}:${address.port}`;
}

/** Makes its connections by a function; node:http does the rest. */
class DialAgent extends Agent {
  private readonly dial: () => Promise<Duplex>;

  constructor(dial: () => Promise<Duplex>, options: ConstructorParameters<typeof Agent>[0]) {
    super(options);
    this.dial = dial;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.dial().then(
      (stream) => callback?.(null, stream),
      // node:http looks at the stream only where there is no error.
      (error: unknown) => callback?.(error as Error, undefined as unknown as Duplex),
    );
  }
}

/** `?a=1&b=x`, or nothing. */
function queryString(query: CallOptions['query']): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'object') for (const item of value) search.append(key, item);
    else search.append(key, value === true ? '1' : String(value));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}

async function send(request: ClientRequest, options: CallOptions): Promise<void> {
  if (options.body !== undefined) {
    await pipeline(options.body, request);
    return;
  }
  if (options.json !== undefined) {
    const text = JSON.stringify(options.json);
    request.setHeader('Content-Length', Buffer.byteLength(text));
    request.end(text);
    return;
  }
  if (request.method === 'POST' || request.method === 'PUT') request.setHeader('Content-Length', 0);
  request.end();
}

function isFailure(answer: IncomingMessage): boolean {
  const status = answer.statusCode ?? 0;
  return status >= 400 || status < 200;
}

/** The error that a failed answer's body tells, in the engine's words. */
async function errorOf(answer: IncomingMessage): Promise<EngineError> {
  const status = answer.statusCode ?? 0;
  const text = await readText(answer, ERROR_BODY_LIMIT).catch(() => '');
  let message = text.trim();
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed)
      message = String(parsed.message);
  } catch {
    // Not every proxy answers in JSON: the text itself is the message then.
  }
  if (message === '')
    message = `the engine answered ${status} ${answer.statusMessage ?? ''}`.trim();
  return new EngineError(kindOfStatus(status), message);
}

async function readText(stream: Readable, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) {
      stream.destroy();
      break;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

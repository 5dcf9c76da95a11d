/**
 * Owns single HTTP exchanges with a registry: connections, time limits, redirects, bounded bodies and the
 * authorization of a request. It knows tokens, not images.
 */

import { Agent, EnvHttpProxyAgent, request } from 'undici';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import { parseBounded } from '../../lib/image/manifest.ts';
import { checkTarget, guardedLookup, isLoopback } from './endpoints.ts';
import type { Endpoint } from './endpoints.ts';
import { MAX_ERROR, failure, memberText, noToken } from './refusals.ts';
import type { RegistryAuth } from './types.ts';

/** Time and size limits; milliseconds and bytes. */
export interface TransportLimits {
  readonly connectMs: number;
  /** Until the headers are there, and between two pieces of a body. */
  readonly idleMs: number;
  /** For a whole small document. */
  readonly documentMs: number;
  /** A blob that comes slower than `slowBytes` in `slowMs` of waiting is given up. */
  readonly slowMs: number;
  readonly slowBytes: number;
  readonly retries: number;
  readonly retryMs: number;
}

export const DEFAULT_LIMITS: TransportLimits = {
  connectMs: 10_000,
  idleMs: 30_000,
  documentMs: 60_000,
  slowMs: 60_000,
  slowBytes: 64 * 1024,
  retries: 4,
  retryMs: 500,
};

/** Layers that are under way at the same time, as Docker has it. */
export const PARALLEL = 3;

/** Between two reports of a layer's bytes, in milliseconds. */
const REPORT_MS = 100;

/** Takes each new number of bytes and tells one now and then, and the last. */
export function paced(total: number, tell: (bytes: number) => void): (bytes: number) => void {
  let last = 0;
  return (bytes) => {
    const now = performance.now();
    if (now - last < REPORT_MS && bytes < total) return;
    last = now;
    tell(bytes);
  };
}

export interface Exchange {
  readonly endpoint: Endpoint;
  readonly url: string;
  /** What a token must allow, e.g. `repository:library/busybox:pull`. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';

/** A request that may change the registry: it follows no redirects. */
export interface WriteExchange extends Exchange {
  readonly method: Method;
  /** Made anew for every try. */
  readonly body?: () => Readable | Buffer;
  /** Statuses beside 2xx that are answers. */
  readonly accept?: readonly number[];
}

export type Answer = Dispatcher.ResponseData;

const MAX_REDIRECTS = 5;
const MAX_TOKEN = 1024 * 1024;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Holds the connections and tokens of one pull. Close it. */
export class Transport {
  readonly limits: TransportLimits;
  readonly #auth: RegistryAuth | undefined;
  readonly #tokens = new Map<string, string>();
  readonly #dispatchers = new Map<string, Dispatcher>();

  constructor(auth: RegistryAuth | undefined, limits: TransportLimits) {
    this.#auth = auth;
    this.limits = limits;
  }

  /** An answer of 200 or 206; anything else throws, with the registry's own words. */
  async get(exchange: Exchange): Promise<Answer> {
    const key = `${exchange.endpoint.base} ${exchange.scope}`;
    let answer = await this.#follow(
      exchange,
      this.#tokens.get(key) ?? this.#standing(exchange.endpoint),
    );
    if (answer.statusCode === 401) {
      const challenge = header(answer, 'www-authenticate');
      await discard(answer);
      const authorization = await this.#authorize(exchange, challenge);
      this.#tokens.set(key, authorization);
      answer = await this.#follow(exchange, authorization);
    }
    if (answer.statusCode === 200 || answer.statusCode === 206) return answer;
    throw await failure(answer, exchange.url);
  }

  /** An answer of 2xx or of an accepted status, its body read past; anything else throws, with the registry's own words. */
  async exchange(exchange: WriteExchange): Promise<Answer> {
    const key = `${exchange.endpoint.base} ${exchange.scope}`;
    const target = new URL(exchange.url);
    checkTarget(exchange.endpoint, target);
    const own = new URL(exchange.endpoint.base);
    const trusted = target.host === own.host && target.protocol === own.protocol;
    const ask = (authorization: string | undefined): Promise<Answer> =>
      this.#send(exchange, target, {
        ...exchange.headers,
        ...(trusted && authorization !== undefined ? { authorization } : {}),
      });
    let answer = await ask(this.#tokens.get(key) ?? this.#standing(exchange.endpoint));
    if (answer.statusCode === 401 && trusted) {
      const challenge = header(answer, 'www-authenticate');
      await discard(answer);
      const authorization = await this.#authorize(exchange, challenge);
      this.#tokens.set(key, authorization);
      answer = await ask(authorization);
    }
    const { statusCode: status } = answer;
    if ((status >= 200 && status < 300) || exchange.accept?.includes(status) === true) {
      await discard(answer);
      return answer;
    }
    throw await failure(answer, exchange.url);
  }

  /** The whole body; throws `invalid` when it is longer than `max`. */
  async body(answer: Answer, max: number, what: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > max)
        throw new EngineError(
          'invalid',
          `${what} is longer than the ${String(max)} bytes that it may have`,
        );
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
  }

  /** One request with its redirects; the authorization goes to the endpoint's own host only. */
  async #follow(exchange: Exchange, authorization: string | undefined): Promise<Answer> {
    const own = new URL(exchange.endpoint.base);
    let target = new URL(exchange.url);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      checkTarget(exchange.endpoint, target);
      const trusted = target.host === own.host && target.protocol === own.protocol;
      const answer = await this.#send(exchange, target, {
        ...exchange.headers,
        ...(trusted && authorization !== undefined ? { authorization } : {}),
      });
      const location = header(answer, 'location');
      if (!REDIRECTS.has(answer.statusCode) || location === '') return answer;
      await discard(answer);
      if (!URL.canParse(location, target.href))
        throw new EngineError('invalid', `the registry ${own.host} sent a malformed redirect`);
      target = new URL(location, target);
    }
    throw new EngineError('unavailable', `the registry ${own.host} redirects in circles`);
  }

  async #send(
    exchange: Exchange | WriteExchange,
    target: URL,
    headers: Record<string, string>,
  ): Promise<Answer> {
    const { method = 'GET', body } = 'method' in exchange ? exchange : {};
    try {
      return await request(target, {
        method,
        ...(body === undefined ? {} : { body: body() }),
        headers: { 'user-agent': 'pinnace', ...headers },
        dispatcher: this.#dispatcher(exchange.endpoint, target),
        signal: exchange.signal,
        headersTimeout: this.limits.idleMs,
        bodyTimeout: this.limits.idleMs,
      });
    } catch (error) {
      throw transportError(error, exchange.signal, target);
    }
  }

  /** Hosts that a remote registry sends us to are reached only through the guarded resolver. */
  #dispatcher(endpoint: Endpoint, target: URL): Dispatcher {
    const own = new URL(endpoint.base);
    const guarded = target.host !== own.host && !isLoopback(own.hostname);
    const key = `${String(guarded)} ${String(endpoint.insecure)}`;
    const known = this.#dispatchers.get(key);
    if (known !== undefined) return known;
    const connect = {
      timeout: this.limits.connectMs,
      rejectUnauthorized: !endpoint.insecure,
      ...(guarded ? { lookup: guardedLookup } : {}),
    };
    const proxied = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].some(
      (name) => (process.env[name] ?? '') !== '',
    );
    const dispatcher =
      proxied && !isLoopback(own.hostname)
        ? new EnvHttpProxyAgent({ connect })
        : new Agent({ connect });
    this.#dispatchers.set(key, dispatcher);
    return dispatcher;
  }

  /** A ready-made bearer token that the caller brought; mirrors never see the caller's secrets. */
  #standing(endpoint: Endpoint): string | undefined {
    const token = endpoint.mirror ? undefined : this.#auth?.registrytoken;
    return token === undefined || token === '' ? undefined : `Bearer ${token}`;
  }

  /** Answers a challenge (RFC 7235; distribution's token specification). */
  async #authorize(exchange: Exchange, challenge: string): Promise<string> {
    const { endpoint } = exchange;
    const auth = endpoint.mirror ? undefined : this.#auth;
    const basic = basicOf(auth);
    const bearer = /(?:^|,\s*)bearer\s+(.*)$/i.exec(challenge)?.[1];
    if (bearer !== undefined) return this.#token(exchange, parameters(bearer), auth);
    if (/(?:^|,\s*)basic\b/i.test(challenge) && basic !== undefined) return basic;
    throw new EngineError(
      'unauthorized',
      `the registry ${new URL(endpoint.base).host} requires authorization: log in to it first`,
    );
  }

  async #token(
    exchange: Exchange,
    challenge: ReadonlyMap<string, string>,
    auth: RegistryAuth | undefined,
  ): Promise<string> {
    const realm = challenge.get('realm') ?? '';
    if (!URL.canParse(realm))
      throw new EngineError(
        'invalid',
        `the registry named no valid place to get a token: ${JSON.stringify(realm.slice(0, 200))}`,
      );
    const url = new URL(realm);
    checkTarget(exchange.endpoint, url);
    const service = challenge.get('service') ?? '';
    const scope = challenge.get('scope') ?? exchange.scope;
    const identity = auth?.identitytoken ?? '';
    const signal = AbortSignal.any([exchange.signal, AbortSignal.timeout(this.limits.documentMs)]);
    const common = {
      dispatcher: this.#dispatcher(exchange.endpoint, url),
      signal,
      headersTimeout: this.limits.idleMs,
      bodyTimeout: this.limits.idleMs,
    };
    let text: string;
    let answer: Answer;
    try {
      if (identity === '') {
        if (service !== '') url.searchParams.set('service', service);
        for (const part of scope.split(' '))
          if (part !== '') url.searchParams.append('scope', part);
        const authorization = basicOf(auth);
        answer = await request(url, {
          ...common,
          method: 'GET',
          headers: {
            'user-agent': 'pinnace',
            ...(authorization === undefined ? {} : { authorization }),
          },
        });
      } else {
        const form = new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: identity,
          service,
          scope,
          client_id: 'pinnace',
        });
        answer = await request(url, {
          ...common,
          method: 'POST',
          headers: { 'user-agent': 'pinnace', 'content-type': 'application/x-www-form-urlencoded' },
          body: form.toString(),
        });
      }
      if (answer.statusCode !== 200) throw await noToken(answer, url);
      text = (await this.body(answer, MAX_TOKEN, 'the token')).toString('utf8');
    } catch (error) {
      throw transportError(error, signal, url);
    }
    const document = parseBounded(text, 'the token', MAX_TOKEN);
    const token = memberText(document, 'token') ?? memberText(document, 'access_token');
    if (token === undefined || /[\r\n]/.test(token))
      throw new EngineError('unauthorized', `${url.host} gave no token`);
    return `Bearer ${token}`;
  }
}

/** Any failure of an exchange as an EngineError; an abort stays an abort. */
export function transportError(error: unknown, signal: AbortSignal, target: URL): Error {
  if (error instanceof EngineError) return error;
  const reason: unknown = signal.aborted ? signal.reason : undefined;
  const timedOut = [error, reason].some(
    (value) => value instanceof Error && value.name === 'TimeoutError',
  );
  if (signal.aborted && !timedOut)
    return new EngineError('cancelled', 'the transfer was cancelled', { cause: reason });
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const why = timedOut || code.endsWith('_TIMEOUT') ? 'it did not answer in time' : detail(error);
  return new EngineError('unavailable', `the registry ${target.host} cannot be reached: ${why}`, {
    cause: error,
    ...(code === '' ? {} : { errno: code }),
  });
}

/** Whether trying again may help. */
export function isPassing(error: unknown): boolean {
  if (kindOf(error) !== 'unavailable') return false;
  const errno = error instanceof EngineError ? error.errno : undefined;
  return (
    errno === undefined ||
    ![
      'ENOTFOUND',
      'ECONNREFUSED',
      'EAI_AGAIN',
      'UND_ERR_HEADERS_TIMEOUT',
      'UND_ERR_CONNECT_TIMEOUT',
      // It speaks no TLS.
      'EPROTO',
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'ERR_SSL_PACKET_LENGTH_TOO_LONG',
    ].includes(errno)
  );
}

/** The value of a header, '' when it is missing. */
export function header(answer: Answer, name: string): string {
  const value = answer.headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

async function discard(answer: Answer): Promise<void> {
  await answer.body.dump({ limit: MAX_ERROR }).catch(() => undefined);
}

function basicOf(auth: RegistryAuth | undefined): string | undefined {
  if (auth?.username === undefined || auth.username === '') return undefined;
  return `Basic ${Buffer.from(`${auth.username}:${auth.password ?? ''}`).toString('base64')}`;
}

function parameters(challenge: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const match of challenge.slice(0, 8192).matchAll(/([a-zA-Z_]+)="([^"]*)"/g)) {
    found.set((match[1] ?? '').toLowerCase(), match[2] ?? '');
  }
  return found;
}

function detail(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause instanceof Error ? cause : error);
}

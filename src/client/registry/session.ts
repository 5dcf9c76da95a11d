/**
 * Talks to one registry as anybody or as a user: challenges, tokens, redirects, bounded answers. A registry may lie, so
 * every answer is bounded in size, time and redirects; what proves the user goes to the registry itself and to the
 * place that its challenge names over HTTPS, never along a redirect to another host, and into no message.
 */

import { createHash } from 'node:crypto';
import { EngineError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/record.ts';

/** A user of a registry. */
export interface RegistryLogin {
  readonly username: string;
  /** A password or an access token. */
  readonly secret: string;
  /** The secret is an OAuth2 refresh token. */
  readonly identity?: boolean;
}

export interface RegistryOptions {
  readonly signal?: AbortSignal;
  /** For tests; the platform's otherwise. */
  readonly fetch?: typeof fetch;
  readonly login?: RegistryLogin | undefined;
  /** Asked for the login once the registry wants one. Throws EngineError. */
  readonly askLogin?: (() => Promise<RegistryLogin | undefined>) | undefined;
  /** Where the registry is asked instead of where its name leads: a mirror, or plain HTTP where that is allowed. */
  readonly base?: string | undefined;
  /** Tokens by scope, to be kept from one session to the next of the same login. */
  readonly tokens?: Map<string, string>;
}

export interface Page {
  readonly value: unknown;
  /** Of what was received, whatever the registry says it is. */
  readonly digest: string;
  /** The path of the next page, on the same host. */
  readonly next: string | undefined;
}

/** What a call is about: named in errors, and the right that it asks for. */
export interface Subject {
  /** A repository, or `the catalog`. */
  readonly name: string;
  /** As the token specification writes it, `repository:a/b:pull`; '' for none. */
  readonly scope: string;
}

const TIME_LIMIT = 10_000;
const BODY_LIMIT = 4 * 1024 * 1024;
const REDIRECT_LIMIT = 3;

type Method = 'GET' | 'HEAD' | 'DELETE' | 'POST';

interface Call {
  readonly method: Method;
  readonly accept: string;
  readonly authorization?: string | undefined;
  readonly form?: URLSearchParams;
}

/** Calls to one registry that end within ten seconds together. */
export class RegistrySession {
  readonly host: string;
  /** Of this machine plain HTTP is asked first, and HTTPS when that is what is spoken. */
  private base: URL;
  private readonly signal: AbortSignal;
  private readonly fetch: typeof fetch;
  private login: RegistryLogin | undefined;
  private readonly askLogin: RegistryOptions['askLogin'];
  private readonly tokens: Map<string, string>;

  /** `domain` as in image names; `docker.io` is asked where it really is. */
  constructor(domain: string, options: RegistryOptions = {}) {
    this.host = domain === 'docker.io' ? 'registry-1.docker.io' : domain;
    this.base = options.base === undefined ? baseOf(this.host) : new URL(options.base);
    const limit = AbortSignal.timeout(TIME_LIMIT);
    this.signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
    this.fetch = options.fetch ?? fetch;
    this.login = options.login;
    this.askLogin = options.askLogin;
    this.tokens = options.tokens ?? new Map<string, string>();
  }

  /** Throws EngineError: unauthorized, forbidden, not-found, unavailable, invalid. */
  async json(path: string, accept: string, subject: Subject): Promise<Page> {
    const answer = await this.call({ method: 'GET', path, accept, subject });
    const body = await readBody(answer, this.base.host);
    return {
      value: parse(body, this.base.host),
      digest: `sha256:${createHash('sha256').update(body).digest('hex')}`,
      next: this.within(nextOf(answer, this.at(path))),
    };
  }

  /** The answer's headers; the same errors. */
  async head(path: string, accept: string, subject: Subject): Promise<Headers> {
    const answer = await this.call({ method: 'HEAD', path, accept, subject });
    await answer.body?.cancel();
    return answer.headers;
  }

  /** The same errors; not-implemented where the registry deletes nothing so named. */
  async remove(path: string, subject: Subject): Promise<void> {
    const answer = await this.call({ method: 'DELETE', path, accept: '*/*', subject });
    await answer.body?.cancel();
  }

  private async call(request: {
    readonly method: Method;
    readonly path: string;
    readonly accept: string;
    readonly subject: Subject;
  }): Promise<Response> {
    const { method, accept, subject } = request;
    let url = this.at(request.path);
    const known = this.tokens.get(subject.scope);
    let answer = await this.follow(url, { method, accept, authorization: known });
    if (answer.status === 400 && (await this.wantsTls(answer))) {
      this.base = new URL(`https://${this.base.host}${this.base.pathname}`);
      url = this.at(request.path);
      answer = await this.follow(url, { method, accept, authorization: known });
    }
    if (answer.status === 401) {
      await answer.body?.cancel();
      this.tokens.delete(subject.scope);
      const proof = await this.authorize(answer.headers.get('www-authenticate') ?? '', subject);
      answer = await this.follow(url, { method, accept, authorization: proof });
      if (answer.status !== 401) this.tokens.set(subject.scope, proof);
    }
    if (answer.ok) return answer;
    await answer.body?.cancel();
    throw this.failure(answer, method, subject);
  }

  /** A mirror may lie below a path. */
  private get prefix(): string {
    return this.base.pathname.replace(/\/+$/, '');
  }

  private at(path: string): URL {
    return new URL(`${this.prefix}${path}`, this.base);
  }

  private within(path: string | undefined): string | undefined {
    return path?.startsWith(`${this.prefix}/`) === true ? path.slice(this.prefix.length) : path;
  }

  /** What servers that speak TLS answer to plain HTTP. */
  private async wantsTls(answer: Response): Promise<boolean> {
    if (this.base.protocol !== 'http:') return false;
    return /HTTPS (server|port)/i.test(await readBody(answer.clone(), this.base.host));
  }

  private failure(answer: Response, method: Method, { name }: Subject): EngineError {
    const { host } = this.base;
    const { status } = answer;
    if (status === 401) return this.refused(name);
    if (status === 403)
      return new EngineError(
        'forbidden',
        `${host} does not allow this${name === '' ? '' : ` for ${name}`} (403)`,
      );
    if (status === 429) {
      const seconds = /^\d{1,6}$/.exec(answer.headers.get('retry-after') ?? '')?.[0];
      const wait = seconds === undefined ? 'later' : `in ${seconds} seconds`;
      return new EngineError('unavailable', `${host} was asked too often (429); try again ${wait}`);
    }
    if (method === 'DELETE' && (status === 405 || status === 400))
      return new EngineError('not-implemented', `${host} does not delete ${name} so`);
    const kind = status === 404 ? 'not-found' : 'unavailable';
    return new EngineError(
      kind,
      `${host} answers ${String(status)}${name === '' ? '' : ` for ${name}`}`,
    );
  }

  private refused(name: string): EngineError {
    const { host } = this.base;
    const text =
      this.login === undefined
        ? `${host} wants a login${name === '' ? '' : ` for ${name}`}`
        : `${host} does not accept the login${name === '' ? '' : ` for ${name}`}`;
    return new EngineError('unauthorized', text);
  }

  /** Follows redirects by hand: only over the scheme of the registry, and never from elsewhere to this machine. */
  private async follow(start: URL, call: Call): Promise<Response> {
    let url = start;
    for (let step = 0; step <= REDIRECT_LIMIT; step++) {
      const { authorization, ...rest } = call;
      const proof = url.host === start.host ? authorization : undefined;
      const answer = await this.send(url, { ...rest, authorization: proof });
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status >= 400 || location === null) return answer;
      await answer.body?.cancel();
      url = this.checked(location, url);
      // What is in a form proves the user as well as a header does.
      if (call.form !== undefined && url.host !== start.host)
        throw new EngineError('forbidden', `${start.host} sends a login on to ${url.host}`);
    }
    throw new EngineError(
      'unavailable',
      `${this.base.host} redirects more than ${String(REDIRECT_LIMIT)} times`,
    );
  }

  private async send(url: URL, { method, accept, authorization, form }: Call): Promise<Response> {
    const headers: Record<string, string> = { Accept: accept };
    if (authorization !== undefined) headers['Authorization'] = authorization;
    try {
      return await this.fetch(url, {
        method,
        headers,
        redirect: 'manual',
        signal: this.signal,
        ...(form === undefined ? {} : { body: form }),
      });
    } catch (cause) {
      throw new EngineError('unavailable', `${url.host} ${reasonOf(cause)}`, { cause });
    }
  }

  private checked(address: string, from: URL): URL {
    const url = URL.canParse(address, from.href) ? new URL(address, from) : undefined;
    const isAllowed =
      url !== undefined &&
      (url.protocol === 'https:' || (url.protocol === 'http:' && this.base.protocol === 'http:')) &&
      (url.protocol === 'https:' ||
        isLoopback(url.hostname) ||
        url.hostname === this.base.hostname) &&
      (url.host === this.base.host || !isPrivate(url.hostname) || isPrivate(this.base.hostname));
    if (!isAllowed)
      throw new EngineError(
        'forbidden',
        `${this.base.host} sends elsewhere than to a public HTTPS address`,
      );
    return url;
  }

  /** The header that a challenge asks for (RFC 7617, distribution token specification). */
  private async authorize(challenge: string, subject: Subject): Promise<string> {
    this.login ??= await this.askLogin?.();
    const { login } = this;
    if (/^basic\b/i.test(challenge) && login !== undefined && login.identity !== true)
      return basic(login);
    const realm = /^bearer\s.*realm="([^"]+)"/i.exec(challenge)?.[1];
    if (realm === undefined) throw this.refused(subject.name);
    const url = this.checked(realm, this.base);
    const service = /service="([^"]+)"/i.exec(challenge)?.[1] ?? '';
    const answer =
      login?.identity === true
        ? await this.refresh(url, { service, subject, login })
        : await this.ask(url, { service, subject, login });
    const value = answer.ok ? parse(await readBody(answer, url.host), url.host) : undefined;
    if (!answer.ok) await answer.body?.cancel();
    const token = isRecord(value) ? (value['token'] ?? value['access_token']) : undefined;
    if (typeof token !== 'string' || token.length > 16_384 || /[^\x21-\x7e]/.test(token))
      throw this.refused(subject.name);
    return `Bearer ${token}`;
  }

  private ask(url: URL, { service, subject, login }: Ask): Promise<Response> {
    if (service !== '') url.searchParams.set('service', service);
    if (subject.scope !== '') url.searchParams.set('scope', subject.scope);
    const authorization = login === undefined ? undefined : basic(login);
    return this.follow(url, { method: 'GET', accept: 'application/json', authorization });
  }

  private refresh(url: URL, { service, subject, login }: Ask): Promise<Response> {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'pinnace' });
    form.set('service', service);
    form.set('scope', subject.scope);
    form.set('refresh_token', login?.secret ?? '');
    return this.follow(url, { method: 'POST', accept: 'application/json', form });
  }
}

interface Ask {
  readonly service: string;
  readonly subject: Subject;
  readonly login: RegistryLogin | undefined;
}

function baseOf(host: string): URL {
  const text = `${isLoopback(host.replace(/:\d+$/, '')) ? 'http' : 'https'}://${host}`;
  if (!/^[\w.[\]:-]+$/.test(host) || !URL.canParse(text))
    throw new EngineError('invalid', `not a registry's address: ${host.slice(0, 200)}`);
  return new URL(text);
}

/** Why a call came to nothing, as far as that helps to find the way out. */
function reasonOf(failure: unknown): string {
  const inner: unknown = failure instanceof Error ? failure.cause : undefined;
  const code = isRecord(inner) && typeof inner['code'] === 'string' ? inner['code'] : '';
  if (!/CERT|ALTNAME|SIGNATURE/.test(code)) return 'cannot be reached';
  return `has a certificate that is not trusted (${code}); name its authority's PEM file in NODE_EXTRA_CA_CERTS`;
}

function basic({ username, secret }: RegistryLogin): string {
  return `Basic ${Buffer.from(`${username}:${secret}`, 'utf8').toString('base64')}`;
}

/** An answer's text, at most 4 MiB. Throws EngineError (invalid) for more. */
export async function readBody(answer: Response, host: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (answer.body === null) return '';
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await readChunk(reader, host);
    if (done) break;
    length += value.byteLength;
    if (length > BODY_LIMIT) {
      await reader.cancel();
      throw new EngineError('invalid', `the answer of ${host} is larger than 4 MiB`);
    }
    chunks.push(value);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  host: string,
): ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']> {
  try {
    return await reader.read();
  } catch (cause) {
    throw new EngineError('unavailable', `the answer of ${host} broke off`, { cause });
  }
}

/** Throws EngineError (invalid). */
export function parse(text: string, host: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError('invalid', `the answer of ${host} is not JSON`, { cause });
  }
}

/** RFC 5988: `</v2/…>; rel="next"`. */
function nextOf(answer: Response, url: URL): string | undefined {
  const target = /^<([^>]+)>;\s*rel="?next"?/.exec(answer.headers.get('link') ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, url.href)) return undefined;
  const next = new URL(target, url);
  return next.host === url.host ? next.pathname + next.search : undefined;
}

/** A host of this machine, without its port. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Addresses of this machine and its neighbourhood, as far as the name tells. */
function isPrivate(host: string): boolean {
  return (
    isLoopback(host) ||
    host.endsWith('.localhost') ||
    host.startsWith('[') ||
    /^(0|10|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(host)
  );
}

/**
 * The platform's `fetch` with this machine's own trust: authorities kept for one registry, those of the operating system
 * where the built-in ones do not do, and none at all where the user said so. A client's key is shown to its registry only.
 */
import type { Agent } from 'node:https';
import { Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import type { Certificates } from './certificates.ts';

export interface Trust {
  /** `host[:port]` of the registry. */
  readonly host: string;
  readonly certificates: Certificates;
  /** Whatever certificate the registry itself has is taken. */
  readonly insecure: boolean;
  /** HTTPS_PROXY and NO_PROXY are taken from it, in small letters too; by Node before 24.5 they are not obeyed. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Body = Readable & { statusCode?: number | undefined; rawHeaders: string[] };

/** Node's codes for a certificate whose authority is not known (node:tls, "X509 certificate error codes"). */
const UNKNOWN_AUTHORITY =
  /^(?:SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(?:GET_ISSUER_CERT(?:_LOCALLY)?|VERIFY_LEAF_SIGNATURE))$/;

/** Takes URLs, methods, headers, forms and signals; follows no redirects. Fails as `fetch` does, with the reason as cause. */
export function fetchTrusting(trust: Trust, otherwise: typeof fetch = fetch): typeof fetch {
  const { host, certificates } = trust;
  const agents = new Map<string, Promise<Agent>>();
  let usesSystem = false;
  const agentFor = (own: boolean): Promise<Agent> => {
    const key = `${String(own)} ${String(usesSystem)}`;
    const held = agents.get(key) ?? agentOf(trust, { own, usesSystem });
    agents.set(key, held);
    return held;
  };
  const needsAgent = certificates.authorities.length > 0 || proxyIn(trust.env) !== '';
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.protocol !== 'https:') return otherwise(input, init);
    const own = url.host === host;
    const isSpecial = own && (trust.insecure || certificates.client !== undefined);
    try {
      if (needsAgent || isSpecial || usesSystem) return await send(url, init, await agentFor(own));
      return await otherwise(input, init);
    } catch (error) {
      if (usesSystem || !isUnknown(error)) throw error;
      usesSystem = true;
      return await send(url, init, await agentFor(own));
    }
  };
}

function proxyIn(env: Trust['env']): string {
  return env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '';
}

/** What Node's agent reads; this machine is never behind a proxy. */
function proxyEnv(env: Trust['env']): NodeJS.ProcessEnv {
  const direct = env['no_proxy'] ?? env['NO_PROXY'] ?? '';
  const own = ['localhost', '127.0.0.1', '::1', '[::1]'];
  const no_proxy = [...(direct === '' ? [] : [direct]), ...own].join(',');
  return { https_proxy: proxyIn(env), no_proxy };
}

/** Node's own modules for it are loaded late: they cost a process that asks nobody 50 ms at its start. */
async function agentOf(
  { certificates, insecure, env }: Trust,
  { own, usesSystem }: { readonly own: boolean; readonly usesSystem: boolean },
): Promise<Agent> {
  const { Agent } = await import('node:https');
  const tls = await import('node:tls');
  const { authorities, client } = certificates;
  const shown = own ? client : undefined;
  const isLax = own && insecure;
  try {
    const secureContext = tls.createSecureContext({
      ...(isLax ? {} : { ca: [...usual(tls, usesSystem), ...authorities] }),
      ...(shown === undefined ? {} : { cert: shown.cert, key: shown.key }),
    });
    return new Agent({
      secureContext,
      rejectUnauthorized: !isLax,
      keepAlive: true,
      maxFreeSockets: 2,
      ...(proxyIn(env) === '' ? {} : { proxyEnv: proxyEnv(env) }),
    });
  } catch (cause) {
    throw new EngineError(
      'invalid',
      'the certificates kept in certs.d for a registry cannot be used: look at their PEM files',
      { cause },
    );
  }
}

/** Editors may bring a Node that cannot tell them. */
function usual(tls: typeof import('node:tls'), withSystem: boolean): readonly string[] {
  if (typeof tls.getCACertificates !== 'function') return tls.rootCertificates;
  const known = tls.getCACertificates('default');
  return withSystem ? [...known, ...tls.getCACertificates('system')] : known;
}

function isUnknown(error: unknown): boolean {
  const inner: unknown = error instanceof Error ? (error.cause ?? error) : undefined;
  return inner instanceof Error && 'code' in inner && UNKNOWN_AUTHORITY.test(String(inner.code));
}

/** One exchange; the body of the answer comes as it is read. */
async function send(url: URL, init: RequestInit, agent: Agent): Promise<Response> {
  const { request } = await import('node:https');
  const headers = Object.fromEntries(new Headers(init.headers));
  const form = init.body instanceof URLSearchParams ? init.body.toString() : undefined;
  if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded';
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const failed = (cause: unknown): void => reject(new TypeError('fetch failed', { cause }));
  const call = request(
    url,
    {
      method: init.method ?? 'GET',
      headers,
      agent,
      ...(init.signal === undefined || init.signal === null ? {} : { signal: init.signal }),
    },
    (answer: Body) => {
      try {
        resolve(responseOf(answer));
      } catch (error) {
        answer.destroy();
        failed(error);
      }
    },
  );
  call.once('error', failed);
  call.end(form);
  return promise;
}

const EMPTY: ReadonlySet<number> = new Set([204, 205, 304]);

function responseOf(answer: Body): Response {
  const headers = new Headers();
  for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2)
    headers.append(answer.rawHeaders[index] ?? '', answer.rawHeaders[index + 1] ?? '');
  const status = answer.statusCode ?? 0;
  if (EMPTY.has(status)) answer.resume();
  const body = EMPTY.has(status) ? null : (Readable.toWeb(answer) as ReadableStream);
  return new Response(body, { status, headers });
}

/**
 * Reads public facts of a registry: tags, and an image's configuration. Anonymous, over HTTPS (plain HTTP only to this
 * machine); every answer is bounded in size, time and redirects, since a registry may lie. It writes nothing.
 */

import { createHash } from 'node:crypto';
import { EngineError } from '../../lib/errors.ts';
import type { Reference } from '../../lib/image/reference.ts';

export interface RegistryOptions {
  readonly signal?: AbortSignal;
  /** For tests; the platform's otherwise. */
  readonly fetch?: typeof fetch;
}

/** What a registry says of an image. */
export interface RegistryImage {
  /** The configuration's JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Bytes of the compressed layers. */
  readonly size: number;
  /** `os/architecture[/variant]`; one for an image that has no index. */
  readonly platforms: readonly string[];
  /** Of the index or manifest that the name stands for. */
  readonly digest: string;
}

const TIME_LIMIT = 10_000;
const BODY_LIMIT = 4 * 1024 * 1024;
const REDIRECT_LIMIT = 3;
const PAGE_LIMIT = 10;
const TAG_LIMIT = 20_000;
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** The tags of a repository (distribution API: /v2/NAME/tags/list), at most 20,000. Throws EngineError. */
export async function listTags(
  repository: Reference,
  options: RegistryOptions = {},
): Promise<string[]> {
  const session = new RegistrySession(repository, options);
  const tags: string[] = [];
  let path: string | undefined = `/v2/${repository.path}/tags/list?n=1000`;
  for (let page = 0; path !== undefined && page < PAGE_LIMIT && tags.length < TAG_LIMIT; page++) {
    const { value, next } = await session.json(path, 'application/json');
    const list = isRecord(value) ? value['tags'] : undefined;
    if (!Array.isArray(list)) break;
    for (const tag of list) if (isTag(tag)) tags.push(tag);
    path = next;
  }
  return tags;
}

/** The configuration of an image; of a list that for `platform`, or the first. Throws EngineError. */
export async function readImage(
  reference: Reference,
  platform: string,
  options: RegistryOptions = {},
): Promise<RegistryImage> {
  const session = new RegistrySession(reference, options);
  const at = (kind: 'manifests' | 'blobs', name: string): string =>
    `/v2/${reference.path}/${kind}/${encodeURIComponent(name).replace('%3A', ':')}`;
  const name = reference.digest ?? reference.tag ?? 'latest';
  const top = await session.json(at('manifests', name), MANIFESTS);
  const entries = entriesOf(top.value);
  const chosen = entries.find((entry) => entry.platform === platform) ?? entries[0];
  const manifest =
    chosen === undefined
      ? top.value
      : (await session.json(at('manifests', chosen.digest), MANIFESTS)).value;
  const digest =
    isRecord(manifest) && isRecord(manifest['config']) ? manifest['config']['digest'] : undefined;
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new EngineError(
      'invalid',
      `${reference.domain} gives no configuration of ${reference.path}`,
    );
  const { value: config } = await session.json(at('blobs', digest), '*/*');
  if (!isRecord(config))
    throw new EngineError('invalid', `the configuration of ${reference.path} is no JSON object`);
  const own = [config['os'], config['architecture']]
    .filter((part) => typeof part === 'string')
    .join('/');
  const platforms = entries.length > 0 ? entries.map((entry) => entry.platform) : [own];
  return { config, size: layersSize(manifest), platforms, digest: top.digest };
}

interface IndexEntry {
  readonly digest: string;
  readonly platform: string;
}

function entriesOf(index: unknown): IndexEntry[] {
  const list = isRecord(index) ? index['manifests'] : undefined;
  if (!Array.isArray(list)) return [];
  return list.slice(0, 100).flatMap((entry: unknown) => {
    if (!isRecord(entry) || !isRecord(entry['platform'])) return [];
    const { digest, platform } = entry;
    if (typeof digest !== 'string' || !isRecord(platform)) return [];
    const parts = [platform['os'], platform['architecture'], platform['variant']];
    const text = parts.filter((part) => typeof part === 'string' && part !== '').join('/');
    // Attestations stand among the images with this platform.
    return text.startsWith('unknown') ? [] : [{ digest, platform: text }];
  });
}

function layersSize(manifest: unknown): number {
  const layers = isRecord(manifest) ? manifest['layers'] : undefined;
  if (!Array.isArray(layers)) return 0;
  return layers.reduce((sum: number, layer: unknown) => {
    const size = isRecord(layer) ? layer['size'] : undefined;
    return sum + (typeof size === 'number' && size > 0 ? size : 0);
  }, 0);
}

interface Page {
  readonly value: unknown;
  /** Of what was received, whatever the registry says it is. */
  readonly digest: string;
  /** The path of the next page, on the same host. */
  readonly next: string | undefined;
}

/** Calls to one repository with the token that its registry gives to anybody. */
class RegistrySession {
  private readonly base: URL;
  private readonly path: string;
  private readonly signal: AbortSignal;
  private readonly fetch: typeof fetch;
  private token: string | undefined;

  constructor({ domain, path }: Reference, options: RegistryOptions) {
    const host = domain === 'docker.io' ? 'registry-1.docker.io' : domain;
    this.base = new URL(`${isLoopback(host.replace(/:\d+$/, '')) ? 'http' : 'https'}://${host}`);
    this.path = path;
    const limit = AbortSignal.timeout(TIME_LIMIT);
    this.signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
    this.fetch = options.fetch ?? fetch;
  }

  async json(path: string, accept: string): Promise<Page> {
    const url = new URL(path, this.base);
    let answer = await this.get(url, accept);
    if (answer.status === 401 && this.token === undefined) {
      await answer.body?.cancel();
      this.token = await this.authorize(answer.headers.get('www-authenticate') ?? '');
      answer = await this.get(url, accept);
    }
    if (!answer.ok) {
      await answer.body?.cancel();
      const kind = answer.status === 404 ? 'not-found' : 'unavailable';
      throw new EngineError(
        kind,
        `${this.base.host} answers ${String(answer.status)} for ${this.path}`,
      );
    }
    const body = await readBody(answer, this.base.host);
    return {
      value: parse(body, this.base.host),
      digest: `sha256:${createHash('sha256').update(body).digest('hex')}`,
      next: nextOf(answer, url),
    };
  }

  /** Follows redirects by hand: only over the scheme of the registry, and never from elsewhere to this machine. */
  private async get(start: URL, accept: string): Promise<Response> {
    let url = start;
    for (let step = 0; step <= REDIRECT_LIMIT; step++) {
      const headers: Record<string, string> = { Accept: accept };
      if (this.token !== undefined && url.host === this.base.host)
        headers['Authorization'] = `Bearer ${this.token}`;
      const answer = await this.send(url, headers);
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status >= 400 || location === null) return answer;
      await answer.body?.cancel();
      url = this.checked(location, url);
    }
    throw new EngineError(
      'unavailable',
      `${this.base.host} redirects more than ${String(REDIRECT_LIMIT)} times`,
    );
  }

  private async send(url: URL, headers: Record<string, string>): Promise<Response> {
    try {
      return await this.fetch(url, { headers, redirect: 'manual', signal: this.signal });
    } catch (cause) {
      throw new EngineError('unavailable', `${url.host} cannot be reached`, { cause });
    }
  }

  private checked(address: string, from: URL): URL {
    const url = URL.canParse(address, from.href) ? new URL(address, from) : undefined;
    const isAllowed =
      url !== undefined &&
      (url.protocol === 'https:' || (url.protocol === 'http:' && this.base.protocol === 'http:')) &&
      (url.host === this.base.host || !isPrivate(url.hostname) || isPrivate(this.base.hostname));
    if (!isAllowed)
      throw new EngineError(
        'forbidden',
        `${this.base.host} sends elsewhere than to a public HTTPS address`,
      );
    return url;
  }

  /** A token for pulling (distribution token specification). */
  private async authorize(challenge: string): Promise<string> {
    const realm = /^bearer\s.*realm="([^"]+)"/i.exec(challenge)?.[1];
    if (realm === undefined)
      throw new EngineError('unauthorized', `${this.base.host} wants a login for ${this.path}`);
    const url = this.checked(realm, this.base);
    const service = /service="([^"]+)"/i.exec(challenge)?.[1];
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${this.path}:pull`);
    const answer = await this.get(url, 'application/json');
    const value = answer.ok ? parse(await readBody(answer, url.host), url.host) : undefined;
    if (!answer.ok) await answer.body?.cancel();
    const token = isRecord(value) ? (value['token'] ?? value['access_token']) : undefined;
    if (typeof token !== 'string' || token.length > 16_384 || /[^\x21-\x7e]/.test(token))
      throw new EngineError('unauthorized', `${this.base.host} wants a login for ${this.path}`);
    return token;
  }
}

async function readBody(answer: Response, host: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (answer.body === null) return '';
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
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

function parse(text: string, host: string): unknown {
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

function isTag(value: unknown): value is string {
  return typeof value === 'string' && /^\w[\w.-]{0,127}$/.test(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLoopback(host: string): boolean {
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

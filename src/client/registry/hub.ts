/**
 * What Docker Hub tells by its own API and by no other: the repositories of a namespace, and tags with their dates and
 * sizes. Read-only but for the deletion of a tag; the login goes to hub.docker.com alone.
 */

import { EngineError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/record.ts';
import type { BrowseOptions } from './browse.ts';
import { isTag } from './registry.ts';
import { parse, readBody } from './session.ts';

export interface HubRepository {
  /** `namespace/name`. */
  readonly name: string;
  readonly description: string;
  readonly isPrivate: boolean;
  readonly pulls: number;
  readonly stars: number;
}

export interface HubTag {
  readonly name: string;
  /** Milliseconds since the epoch; undefined where it is not told. */
  readonly updated: number | undefined;
  /** Bytes, compressed. */
  readonly size: number;
  readonly digest: string | undefined;
}

export interface HubPage<T> {
  readonly items: readonly T[];
  readonly total: number;
  /** The number of the page behind this one. */
  readonly next: number | undefined;
}

const HUB = 'https://hub.docker.com';
const TIME_LIMIT = 10_000;
const PAGE = 100;
const NAMESPACE = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/;

export class Hub {
  private readonly options: BrowseOptions & { readonly address?: string };
  private token: Promise<string> | undefined;

  /** `address` is for tests. */
  constructor(options: BrowseOptions & { readonly address?: string } = {}) {
    this.options = options;
  }

  /** Page 1 first. Throws EngineError (not-found) for a namespace that is none. */
  async repositories(
    namespace: string,
    page = 1,
    signal?: AbortSignal,
  ): Promise<HubPage<HubRepository>> {
    if (!NAMESPACE.test(namespace))
      throw new EngineError('invalid', `not a namespace of Docker Hub: ${namespace.slice(0, 100)}`);
    const path = `/v2/namespaces/${namespace}/repositories?page_size=${String(PAGE)}&page=${String(page)}`;
    return pageOf(await this.get(path, namespace, signal), page, (entry) =>
      repositoryOf(entry, namespace),
    );
  }

  /** The newest first. */
  async tags(repository: string, page = 1, signal?: AbortSignal): Promise<HubPage<HubTag>> {
    const [namespace = '', name = ''] = repository.split('/');
    const path = `/v2/namespaces/${namespace}/repositories/${name}/tags?page_size=${String(PAGE)}&page=${String(page)}`;
    return pageOf(await this.get(path, repository, signal), page, tagOf);
  }

  /** Needs a login that may. */
  async removeTag(repository: string, tag: string, signal?: AbortSignal): Promise<void> {
    const path = `/v2/repositories/${repository}/tags/${encodeURIComponent(tag)}/`;
    await this.call({ method: 'DELETE', path, name: `${repository}:${tag}` }, signal);
  }

  private async get(path: string, name: string, signal: AbortSignal | undefined): Promise<unknown> {
    const text = await this.call({ method: 'GET', path, name }, signal);
    return parse(text, 'Docker Hub');
  }

  private async call(
    request: { readonly method: 'GET' | 'DELETE'; readonly path: string; readonly name: string },
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { login } = this.options;
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (login !== undefined) {
      this.token ??= this.signIn(signal);
      this.token.catch(() => (this.token = undefined));
      headers['Authorization'] = `Bearer ${await this.token}`;
    }
    const answer = await this.send(request.path, { method: request.method, headers }, signal);
    if (answer.status === 401) this.token = undefined;
    const text = await readBody(answer, 'Docker Hub');
    if (!answer.ok) throw failure(answer.status, request.name, login !== undefined);
    return text;
  }

  private async signIn(signal: AbortSignal | undefined): Promise<string> {
    const { login } = this.options;
    const body = JSON.stringify({ identifier: login?.username, secret: login?.secret });
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
    const answer = await this.send('/v2/auth/token', { method: 'POST', headers, body }, signal);
    const text = await readBody(answer, 'Docker Hub');
    const value = answer.ok ? parse(text, 'Docker Hub') : undefined;
    const token = isRecord(value) ? value['access_token'] : undefined;
    if (typeof token !== 'string' || /[^\x21-\x7e]/.test(token))
      throw new EngineError('unauthorized', 'Docker Hub does not accept the login');
    return token;
  }

  private async send(
    path: string,
    init: RequestInit,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const limit = AbortSignal.timeout(TIME_LIMIT);
    const address = this.options.address ?? HUB;
    try {
      return await (this.options.fetch ?? fetch)(`${address}${path}`, {
        ...init,
        redirect: 'error',
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      });
    } catch (cause) {
      throw new EngineError('unavailable', 'Docker Hub (hub.docker.com) cannot be reached', {
        cause,
      });
    }
  }
}

function failure(status: number, name: string, signedIn: boolean): EngineError {
  const who = signedIn ? 'this login' : 'anybody';
  if (status === 404) return new EngineError('not-found', `Docker Hub has no ${name} for ${who}`);
  if (status === 401 || status === 403)
    return new EngineError('forbidden', `Docker Hub does not allow this for ${name} to ${who}`);
  if (status === 429)
    return new EngineError('unavailable', 'Docker Hub was asked too often (429); try again later');
  return new EngineError('unavailable', `Docker Hub answers ${String(status)} for ${name}`);
}

function pageOf<T>(value: unknown, page: number, of: (entry: unknown) => T[]): HubPage<T> {
  const list: unknown = isRecord(value) ? value['results'] : undefined;
  const items = Array.isArray(list) ? list.flatMap(of) : [];
  const count = isRecord(value) && typeof value['count'] === 'number' ? value['count'] : 0;
  const isMore = isRecord(value) && typeof value['next'] === 'string' && items.length > 0;
  return { items, total: count, next: isMore ? page + 1 : undefined };
}

function repositoryOf(entry: unknown, namespace: string): HubRepository[] {
  if (!isRecord(entry)) return [];
  const { name } = entry;
  if (typeof name !== 'string' || !NAMESPACE.test(name)) return [];
  return [
    {
      name: `${namespace}/${name}`,
      description: typeof entry['description'] === 'string' ? entry['description'] : '',
      isPrivate: entry['is_private'] === true,
      pulls: numberOf(entry['pull_count']),
      stars: numberOf(entry['star_count']),
    },
  ];
}

function tagOf(entry: unknown): HubTag[] {
  if (!isRecord(entry) || !isTag(entry['name'])) return [];
  const updated = Date.parse(String(entry['last_updated']));
  const digest = String(entry['digest']);
  return [
    {
      name: entry['name'],
      updated: Number.isNaN(updated) ? undefined : updated,
      size: numberOf(entry['full_size']),
      digest: /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined,
    },
  ];
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
}

/**
 * A registry that is browsed page by page: repositories, tags, digests; and the deletion of a tag. Speaks the
 * distribution API only; it keeps tokens between calls and nothing else.
 */

import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Reference } from '../../lib/image/reference.ts';
import { isRecord } from '../../lib/record.ts';
import { isTag, MANIFESTS, pulling, readImage, type RegistryImage } from './registry.ts';
import { type RegistryOptions, RegistrySession, type Subject } from './session.ts';

/** `next` is given back for the page behind this one; undefined on the last. */
export interface NamePage {
  readonly names: readonly string[];
  readonly next: string | undefined;
}

/** What does not change from call to call. */
export type BrowseOptions = Pick<RegistryOptions, 'login' | 'askLogin' | 'base' | 'fetch'>;

const PAGE = 100;
/** Many registries sort tags by name, so the newest is only known from all of them. */
const TAG_PAGE = 1000;
const CATALOG: Subject = { name: 'its catalog', scope: 'registry:catalog:*' };
const REPOSITORY = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/;

/** One registry with one login. All calls throw EngineError. */
export class RegistryBrowser {
  readonly host: string;
  private readonly options: BrowseOptions;
  private readonly tokens = new Map<string, string>();

  constructor(host: string, options: BrowseOptions = {}) {
    this.host = host;
    this.options = options;
  }

  /** Resolves when there is a registry and it accepts the login; unauthorized where it does not. */
  async check(signal?: AbortSignal): Promise<void> {
    const subject = { name: '', scope: '' };
    const session = this.session(signal);
    try {
      await session.head('/v2/', 'application/json', subject);
    } catch (error) {
      if (kindOf(error) !== 'not-found') throw error;
      throw new EngineError('not-found', `${session.host} is no registry: it has no /v2/`, {
        cause: error,
      });
    }
  }

  /** A page of the catalog. Many registries have none: not-found, unauthorized or forbidden. */
  async repositories(page?: string, signal?: AbortSignal): Promise<NamePage> {
    const path = page ?? `/v2/_catalog?n=${String(PAGE)}`;
    const { value, next } = await this.session(signal).json(path, 'application/json', CATALOG);
    return { names: namesOf(value, 'repositories', isRepository), next };
  }

  async tags(repository: string, page?: string, signal?: AbortSignal): Promise<NamePage> {
    const path = page ?? `/v2/${repository}/tags/list?n=${String(TAG_PAGE)}`;
    const subject = pulling(repository);
    const { value, next } = await this.session(signal).json(path, 'application/json', subject);
    return { names: namesOf(value, 'tags', isTag), next };
  }

  /** What a tag stands for: `sha256:…`. */
  async digest(repository: string, tag: string, signal?: AbortSignal): Promise<string> {
    const path = manifestPath(repository, tag);
    const headers = await this.session(signal).head(path, MANIFESTS, pulling(repository));
    const digest = headers.get('docker-content-digest') ?? '';
    if (/^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
    return (await this.session(signal).json(path, MANIFESTS, pulling(repository))).digest;
  }

  image(repository: string, tag: string, signal?: AbortSignal): Promise<RegistryImage> {
    const reference: Reference = {
      domain: this.host,
      path: repository,
      tag,
      digest: undefined,
    };
    return readImage(reference, 'linux/amd64', this.sessionOptions(signal));
  }

  /**
   * Deletes one tag where the registry can (OCI distribution 1.1); not-implemented where it only deletes images
   * by digest, with every tag that they have.
   */
  async removeTag(repository: string, tag: string, signal?: AbortSignal): Promise<void> {
    await this.session(signal).remove(manifestPath(repository, tag), deleting(repository, tag));
  }

  /** Deletes an image and all of its tags. */
  async removeDigest(repository: string, digest: string, signal?: AbortSignal): Promise<void> {
    const subject = deleting(repository, digest);
    await this.session(signal).remove(manifestPath(repository, digest), subject);
  }

  private session(signal: AbortSignal | undefined): RegistrySession {
    return new RegistrySession(this.host, this.sessionOptions(signal));
  }

  private sessionOptions(signal: AbortSignal | undefined) {
    return {
      ...this.options,
      tokens: this.tokens,
      ...(signal === undefined ? {} : { signal }),
    };
  }
}

/** The path of a repository on a registry, as the specification allows it. */
export function isRepository(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 255 && REPOSITORY.test(value);
}

function deleting(repository: string, what: string): Subject {
  return { name: `${repository}:${what}`, scope: `repository:${repository}:pull,delete` };
}

function manifestPath(repository: string, name: string): string {
  return `/v2/${repository}/manifests/${encodeURIComponent(name).replace('%3A', ':')}`;
}

function namesOf(
  value: unknown,
  key: string,
  isName: (value: unknown) => value is string,
): string[] {
  const list: unknown = isRecord(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter(isName) : [];
}

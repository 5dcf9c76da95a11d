/**
 * Owns the writing side of the registry protocol (OCI distribution specification 1.1, "Push"): blobs that are missing,
 * mounted from another repository where that is known to have them, and manifests. Mirrors are never written to.
 */

import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Digest } from '../../lib/image/config.ts';
import { familiarName } from '../../lib/image/reference.ts';
import type { Reference } from '../../lib/image/reference.ts';
import { sha256 } from '../storage/digest.ts';
import { endpointsOf } from './endpoints.ts';
import type { Endpoint } from './endpoints.ts';
import type { RepositoryOptions } from './registry.ts';
import { DEFAULT_LIMITS, Transport, header, isPassing } from './transport.ts';
import type { Answer, Method } from './transport.ts';

/** A blob to send: read again from its beginning for every try. */
export interface Upload {
  readonly digest: Digest;
  readonly size: number;
  readonly file: string;
  /** Repositories of the same registry that may have it. */
  readonly from: readonly string[];
  readonly onBytes: (sent: number) => void;
}

export type Uploaded =
  { readonly kind: 'exists' | 'sent' } | { readonly kind: 'mounted'; readonly from: string };

/** How many other repositories are asked for a blob. */
const MAX_MOUNTS = 3;

/** One repository that is written to. Close it. */
export class Uploads {
  readonly #reference: Reference;
  readonly #signal: AbortSignal;
  readonly #transport: Transport;
  readonly #candidates: readonly Endpoint[];
  #endpoint: Endpoint | undefined;

  constructor(reference: Reference, options: RepositoryOptions) {
    this.#reference = reference;
    this.#signal = options.signal;
    this.#transport = new Transport(options.auth, { ...DEFAULT_LIMITS, ...options.limits });
    this.#candidates = endpointsOf(reference.domain, options.config).filter(
      ({ mirror }) => !mirror,
    );
  }

  /** Finds how the registry is reached, before any blob is sent. */
  async open(): Promise<void> {
    let last: unknown;
    for (const endpoint of this.#candidates) {
      try {
        // A blob that cannot be there: the answer shows that we may look.
        const url = `${endpoint.base}/v2/${this.#reference.path}/blobs/${sha256(Buffer.alloc(0))}`;
        await this.#retry(() => this.#ask(endpoint, 'HEAD', { url, accept: [404] }));
        this.#endpoint = endpoint;
        return;
      } catch (error) {
        last = error;
        if (kindOf(error) !== 'unavailable') break;
      }
    }
    throw this.#refusal(last);
  }

  async blob(upload: Upload): Promise<Uploaded> {
    try {
      return await this.#retry(() => this.#blob(upload));
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  /** Stores the manifest under a tag or digest. */
  async manifest(name: string, bytes: Buffer, mediaType: string): Promise<void> {
    const url = this.#url(`manifests/${name}`);
    const headers = { 'content-type': mediaType, 'content-length': String(bytes.length) };
    try {
      const answer = await this.#retry(() =>
        this.#ask(this.#place, 'PUT', { url, headers, body: () => bytes }),
      );
      const stored = header(answer, 'docker-content-digest');
      if (stored.startsWith('sha256:') && stored !== sha256(bytes))
        throw new EngineError(
          'invalid',
          `the registry stored the manifest as ${stored}, not as ${sha256(bytes)}`,
        );
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  /** Whether the repository has a blob, or now has it from another one; undefined: it must be sent. */
  async present({ digest, from }: Pick<Upload, 'digest' | 'from'>): Promise<Uploaded | undefined> {
    try {
      const found = await this.#retry(() => this.#present({ digest, from }));
      return found instanceof URL ? undefined : found;
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  /** What is there, or the place of an upload that the registry opened instead of mounting. */
  async #present({ digest, from }: Pick<Upload, 'digest' | 'from'>): Promise<Uploaded | URL> {
    const head = await this.#ask(this.#place, 'HEAD', {
      url: this.#url(`blobs/${digest}`),
      accept: [404],
    });
    if (head.statusCode !== 404) return { kind: 'exists' };
    let opened: URL | undefined;
    for (const repository of from.slice(0, MAX_MOUNTS)) {
      const query = new URLSearchParams({ mount: digest, from: repository });
      const answer = await this.#ask(this.#place, 'POST', {
        url: this.#url(`blobs/uploads/?${query.toString()}`),
        from: repository,
      });
      if (answer.statusCode === 201) return { kind: 'mounted', from: repository };
      opened = this.#location(answer);
    }
    if (opened !== undefined) return opened;
    return this.#location(
      await this.#ask(this.#place, 'POST', { url: this.#url('blobs/uploads/') }),
    );
  }

  async #blob(upload: Upload): Promise<Uploaded> {
    const { size } = upload;
    const found = await this.#present(upload);
    if (!(found instanceof URL)) return found;
    await this.#send(upload, found);
    upload.onBytes(size);
    return { kind: 'sent' };
  }

  /** The bytes in one PATCH, then the digest, as Docker does. */
  async #send(upload: Upload, location: URL): Promise<void> {
    const { file, size, digest } = upload;
    const sent = await this.#ask(this.#place, 'PATCH', {
      url: location.href,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      body: () => counted(file, size, upload.onBytes),
    });
    const end = this.#location(sent, location);
    end.searchParams.set('digest', digest);
    await this.#ask(this.#place, 'PUT', {
      url: end.href,
      headers: { 'content-length': '0' },
      body: () => Buffer.alloc(0),
    });
  }

  #location(answer: Answer, before?: URL): URL {
    const text = header(answer, 'location');
    const base = before?.href ?? `${this.#place.base}/`;
    if (text !== '' && URL.canParse(text, base)) return new URL(text, base);
    if (text === '' && before !== undefined) return before;
    throw new EngineError('invalid', `the registry named no valid place to send a blob to`);
  }

  #ask(
    endpoint: Endpoint,
    method: Method,
    request: {
      url: string;
      headers?: Readonly<Record<string, string>>;
      body?: () => Readable | Buffer;
      accept?: readonly number[];
      from?: string;
    },
  ): Promise<Answer> {
    const { url, headers, body, accept, from } = request;
    const own = `repository:${this.#reference.path}:pull,push`;
    return this.#transport.exchange({
      endpoint,
      url,
      method,
      scope: from === undefined ? own : `${own} repository:${from}:pull`,
      signal: this.#signal,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      ...(accept === undefined ? {} : { accept }),
    });
  }

  async #retry<T>(work: () => Promise<T>): Promise<T> {
    const { retries, retryMs } = this.#transport.limits;
    for (let failures = 0; ; failures++) {
      try {
        return await work();
      } catch (error) {
        if (failures >= retries || !isPassing(error)) throw error;
        await delay(retryMs * 2 ** failures, undefined, { signal: this.#signal });
      }
    }
  }

  /** In Docker's words, which its users search for. */
  #refusal(error: unknown): unknown {
    if (this.#signal.aborted)
      return new EngineError('cancelled', 'the push was cancelled', { cause: error });
    const kind = kindOf(error);
    if ((kind !== 'unauthorized' && kind !== 'forbidden') || !(error instanceof EngineError))
      return error;
    const name = familiarName(this.#reference);
    return new EngineError(
      kind,
      `denied: requested access to ${name} is denied: ${error.message}; log in to ${this.#reference.domain} with an account that may push`,
      { cause: error },
    );
  }

  get #place(): Endpoint {
    if (this.#endpoint === undefined)
      throw new EngineError('internal', 'the registry was not looked for before the push');
    return this.#endpoint;
  }

  #url(rest: string): string {
    return `${this.#place.base}/v2/${this.#reference.path}/${rest}`;
  }
}

/** A file's bytes, telling how many went by. */
function counted(file: string, size: number, onBytes: (sent: number) => void): Readable {
  async function* pieces(): AsyncGenerator<Buffer> {
    let sent = 0;
    const source = createReadStream(file, { highWaterMark: 256 * 1024 });
    for await (const chunk of source as AsyncIterable<Buffer>) {
      sent += chunk.length;
      if (sent > size)
        throw new EngineError('internal', `the blob ${file} is larger than recorded`, {
          path: file,
        });
      onBytes(sent);
      yield chunk;
    }
  }
  return Readable.from(pieces(), { objectMode: false, highWaterMark: 256 * 1024 });
}

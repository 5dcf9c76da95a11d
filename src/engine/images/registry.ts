/**
 * Owns the reading side of the registry protocol (OCI distribution specification 1.1): manifests and blobs of one
 * repository, from the mirrors first and then from the registry itself. What it hands out is bounded in size and
 * time; digests of documents are checked here, those of layers by whoever unpacks them.
 */

import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { Descriptor, Digest } from '../../lib/image/config.ts';
import { isDigest } from '../../lib/image/digest.ts';
import { ACCEPTED_MANIFESTS, LIMITS } from '../../lib/image/manifest.ts';
import { familiarName } from '../../lib/image/reference.ts';
import type { Reference } from '../../lib/image/reference.ts';
import { sha256 } from '../storage/digest.ts';
import type { RegistryConfig } from '../../lib/image/registry-config.ts';
import { endpointsOf } from './endpoints.ts';
import type { Endpoint } from './endpoints.ts';
import { DEFAULT_LIMITS, Transport, header, isPassing, transportError } from './transport.ts';
import type { Answer, TransportLimits } from './transport.ts';
import type { RegistryAuth } from './types.ts';

export interface RepositoryOptions {
  readonly config: RegistryConfig;
  readonly auth?: RegistryAuth;
  readonly signal: AbortSignal;
  readonly limits?: Partial<TransportLimits>;
}

/** A manifest or index as it came, with the digest of its bytes. */
export interface RawManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: Digest;
}

export interface Repository {
  /** By tag or digest. Throws not-found with Docker's wording. */
  manifest(tagOrDigest: string): Promise<RawManifest>;
  /** A small blob, verified. */
  document(descriptor: Descriptor): Promise<Buffer>;
  /** A blob's bytes, resumed after breaks, never more than `descriptor.size`; the digest is for the reader to check. */
  blob(descriptor: Descriptor, onBytes: (received: number) => void): Readable;
  close(): Promise<void>;
}

/** After so many good bytes a break counts as the first one again. */
const MENDED_BYTES = 1024 * 1024;

/** Opens a repository. Nothing is sent before the first call. */
export function openRepository(reference: Reference, options: RepositoryOptions): Repository {
  return new RemoteRepository(reference, options);
}

/** Remembers which endpoint answered, so that blobs come from where the manifest did. */
class RemoteRepository implements Repository {
  readonly #reference: Reference;
  readonly #signal: AbortSignal;
  readonly #transport: Transport;
  #endpoints: Endpoint[];

  constructor(reference: Reference, options: RepositoryOptions) {
    this.#reference = reference;
    this.#signal = options.signal;
    this.#transport = new Transport(options.auth, { ...DEFAULT_LIMITS, ...options.limits });
    this.#endpoints = endpointsOf(reference.domain, options.config);
  }

  async manifest(tagOrDigest: string): Promise<RawManifest> {
    const failures: { endpoint: Endpoint; error: unknown }[] = [];
    for (const endpoint of this.#endpoints) {
      try {
        const found = await this.#retry(() => this.#manifestFrom(endpoint, tagOrDigest));
        // What follows a mirror may still help with blobs; a registry that answered is the last word.
        this.#endpoints = endpoint.mirror
          ? this.#endpoints.slice(this.#endpoints.indexOf(endpoint))
          : [endpoint];
        return found;
      } catch (error) {
        if (kindOf(error) === 'cancelled') throw error;
        failures.push({ endpoint, error });
      }
    }
    throw this.#refusal(failures, tagOrDigest);
  }

  async document(descriptor: Descriptor): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.blob(descriptor, () => undefined)) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const digest = sha256(bytes);
    if (digest === descriptor.digest) return bytes;
    throw new EngineError(
      'invalid',
      `the registry sent something else for ${descriptor.digest}: its bytes have the digest ${digest}`,
    );
  }

  blob(descriptor: Descriptor, onBytes: (received: number) => void): Readable {
    return Readable.from(this.#bytes(descriptor, onBytes), {
      objectMode: false,
      highWaterMark: 256 * 1024,
    });
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #manifestFrom(endpoint: Endpoint, tagOrDigest: string): Promise<RawManifest> {
    const signal = AbortSignal.any([
      this.#signal,
      AbortSignal.timeout(this.#transport.limits.documentMs),
    ]);
    const url = this.#url(endpoint, `manifests/${tagOrDigest}`);
    try {
      const headers = { accept: ACCEPTED_MANIFESTS.join(', ') };
      const answer = await this.#transport.get({
        endpoint,
        url,
        scope: this.#scope(),
        headers,
        signal,
      });
      const bytes = await this.#transport.body(answer, LIMITS.manifestBytes, 'the manifest');
      const digest = sha256(bytes);
      const promised = isDigest(tagOrDigest)
        ? tagOrDigest
        : header(answer, 'docker-content-digest');
      if (promised.startsWith('sha256:') && promised !== digest) {
        throw new EngineError(
          'invalid',
          `the registry sent something else for ${promised}: its bytes have the digest ${digest}`,
        );
      }
      return {
        bytes,
        digest,
        mediaType: (header(answer, 'content-type').split(';')[0] ?? '').trim(),
      };
    } catch (error) {
      throw this.#signal.aborted
        ? new EngineError('cancelled', 'the pull was cancelled')
        : transportError(error, signal, new URL(url));
    }
  }

  async *#bytes(
    descriptor: Descriptor,
    onBytes: (received: number) => void,
  ): AsyncGenerator<Buffer> {
    const { limits } = this.#transport;
    const pace = new Pace(limits);
    let received = 0;
    let failures = 0;
    let mended = 0;
    let at = 0;
    let first: Error | undefined;
    while (received < descriptor.size) {
      const endpoint = this.#endpoints[at];
      if (endpoint === undefined) throw new EngineError('internal', 'there is no registry to ask');
      const url = this.#url(endpoint, `blobs/${descriptor.digest}`);
      try {
        const answer = await this.#open(endpoint, url, received);
        for await (const chunk of pace.watch(
          answer.body as AsyncIterable<Buffer>,
          new URL(url).host,
        )) {
          received += chunk.length;
          if (received > descriptor.size)
            throw new EngineError(
              'invalid',
              `the registry sent more than the ${String(descriptor.size)} bytes of ${descriptor.digest}`,
            );
          onBytes(received);
          yield chunk;
          if (received - mended > MENDED_BYTES) failures = 0;
        }
        if (received < descriptor.size)
          throw new EngineError(
            'unavailable',
            `the registry ended ${descriptor.digest} after ${String(received)} of ${String(descriptor.size)} bytes`,
          );
      } catch (caught) {
        const error = transportError(caught, this.#signal, new URL(url));
        const more =
          at + 1 < this.#endpoints.length &&
          ['not-found', 'unavailable', 'unauthorized', 'forbidden'].includes(kindOf(error));
        const again = isPassing(error) && failures < limits.retries;
        first ??= error;
        if (this.#signal.aborted || (!again && !more)) throw at === 0 ? error : first;
        mended = received;
        if (again)
          await delay(limits.retryMs * 2 ** failures++, undefined, { signal: this.#signal });
        else at++;
      }
    }
  }

  /** Opens a blob from `offset`; a server that cannot resume sends it whole and its head is skipped. */
  async #open(endpoint: Endpoint, url: string, offset: number): Promise<Answer> {
    const headers = offset === 0 ? {} : { range: `bytes=${String(offset)}-` };
    const answer = await this.#transport.get({
      endpoint,
      url,
      scope: this.#scope(),
      headers,
      signal: this.#signal,
    });
    if (offset === 0) return answer;
    if (answer.statusCode === 200)
      return { ...answer, body: skip(answer.body, offset) } as unknown as Answer;
    const start = /^bytes (\d+)-/.exec(header(answer, 'content-range'))?.[1];
    if (Number(start) === offset) return answer;
    answer.body.destroy();
    throw new EngineError(
      'invalid',
      `the registry answered a request for the rest of a blob with another part of it`,
    );
  }

  async #retry<T>(work: () => Promise<T>): Promise<T> {
    const { retries, retryMs } = this.#transport.limits;
    for (let failures = 0; ; failures++) {
      try {
        return await work();
      } catch (error) {
        if (failures >= Math.min(2, retries) || !isPassing(error)) throw error;
        await delay(retryMs * 2 ** failures, undefined, { signal: this.#signal });
      }
    }
  }

  /** The registry's own answer counts most; what the mirrors said is added. */
  #refusal(
    failures: readonly { endpoint: Endpoint; error: unknown }[],
    tagOrDigest: string,
  ): EngineError {
    const own = failures.findLast(({ endpoint }) => !endpoint.mirror) ?? failures.at(-1);
    const name = familiarName(this.#reference);
    const byDigest: boolean = isDigest(tagOrDigest);
    const shown = byDigest ? `${name}@${tagOrDigest}` : `${name}:${tagOrDigest}`;
    const kind = kindOf(own?.error);
    const said = messageOf(own?.error);
    const mirrors = failures
      .filter(({ endpoint }) => endpoint.mirror)
      .map(({ endpoint, error }) => ` (the mirror ${endpoint.base}: ${messageOf(error)})`)
      .join('');
    if (kind === 'not-found')
      return new EngineError('not-found', `manifest for ${shown} not found: ${said}${mirrors}`);
    if (kind === 'unauthorized' || (kind === 'forbidden' && /^denied|^unauthorized/.test(said))) {
      return new EngineError(
        'not-found',
        `pull access denied for ${name}, repository does not exist or may require 'docker login': ${said}${mirrors}`,
      );
    }
    return new EngineError(kind, `${shown} cannot be pulled: ${said}${mirrors}`, {
      cause: own?.error,
    });
  }

  #url(endpoint: Endpoint, rest: string): string {
    return `${endpoint.base}/v2/${this.#reference.path}/${rest}`;
  }

  #scope(): string {
    return `repository:${this.#reference.path}:pull`;
  }
}

/** Measures only the time spent waiting for the registry, not for the reader behind us. */
class Pace {
  readonly #limits: TransportLimits;
  #waited = 0;
  #bytes = 0;

  constructor(limits: TransportLimits) {
    this.#limits = limits;
  }

  async *watch(body: AsyncIterable<Buffer>, host: string): AsyncGenerator<Buffer> {
    let before = performance.now();
    for await (const chunk of body) {
      this.#waited += performance.now() - before;
      this.#bytes += chunk.length;
      if (this.#waited > this.#limits.slowMs) {
        if (this.#bytes < this.#limits.slowBytes) {
          throw new EngineError(
            'unavailable',
            `the registry ${host} sends too slowly: ${String(this.#bytes)} bytes in ${String(Math.round(this.#waited / 1000))} s`,
            { errno: 'UND_ERR_HEADERS_TIMEOUT' },
          );
        }
        this.#waited = 0;
        this.#bytes = 0;
      }
      yield chunk;
      before = performance.now();
    }
  }
}

async function* skip(body: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of body) {
    if (chunk.length <= left) left -= chunk.length;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}

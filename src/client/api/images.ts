/** The typed calls on images and the builder. Long calls yield the engine's messages and throw its error as EngineError. */

import { Readable } from 'node:stream';
import type { ImageHistoryItem, ImageInspect, ImageSummary } from '../../lib/api/images.ts';
import type { AuthConfig, BuildQuery, Filters, JsonMessage } from '../../lib/api/system.ts';
import { filterText, withSignal } from './containers.ts';
import { readMessages } from './streams.ts';
import type { Transport } from './transport.ts';

type Signal = { readonly signal?: AbortSignal };

export class ImagesApi {
  private readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  list(
    options: { all?: boolean; digests?: boolean; filters?: Filters } & Signal = {},
  ): Promise<ImageSummary[]> {
    const query = {
      all: options.all,
      digests: options.digests,
      filters: filterText(options.filters),
    };
    return this.transport.json('image.list', { query, ...withSignal(options.signal) });
  }

  inspect(name: string, options: Signal = {}): Promise<ImageInspect> {
    return this.transport.json('image.inspect', {
      params: { name },
      ...withSignal(options.signal),
    });
  }

  history(name: string, options: Signal = {}): Promise<ImageHistoryItem[]> {
    return this.transport.json('image.history', {
      params: { name },
      ...withSignal(options.signal),
    });
  }

  /** `reference` with its tag or digest; without one it is `latest`. */
  async *pull(
    reference: string,
    options: { platform?: string; auth?: AuthConfig } & Signal = {},
  ): AsyncGenerator<JsonMessage, void, undefined> {
    const headers =
      options.auth === undefined ? {} : { 'X-Registry-Auth': encodeHeader(options.auth) };
    const query = { ...splitReference(reference), platform: options.platform };
    yield* readMessages(
      await this.transport.open('image.create', { query, headers, ...withSignal(options.signal) }),
    );
  }

  /** `reference` with its tag; without one it is `latest`. Engines want credentials even where there are none. */
  async *push(
    reference: string,
    options: { auth?: AuthConfig } & Signal = {},
  ): AsyncGenerator<JsonMessage, void, undefined> {
    const { fromImage, tag } = splitReference(reference);
    const call = {
      params: { name: fromImage },
      query: { tag },
      headers: { 'X-Registry-Auth': encodeHeader(options.auth ?? {}) },
      ...withSignal(options.signal),
    };
    yield* readMessages(await this.transport.open('image.push', call));
  }

  /** One image of one layer from a root file system's tar. */
  async *import(
    tar: Readable,
    options: {
      repo?: string;
      tag?: string;
      message?: string;
      changes?: readonly string[];
      platform?: string;
    } & Signal = {},
  ): AsyncGenerator<JsonMessage, void, undefined> {
    const { signal, ...query } = options;
    const call = { query: { fromSrc: '-', ...query }, body: tar, ...withSignal(signal) };
    yield* readMessages(await this.transport.open('image.create', call));
  }

  async tag(name: string, repo: string, tag: string): Promise<void> {
    await this.transport.send('image.tag', { params: { name }, query: { repo, tag } });
  }

  remove(
    name: string,
    options: { force?: boolean; noPrune?: boolean } & Signal = {},
  ): Promise<{ Untagged?: string; Deleted?: string }[]> {
    const query = { force: options.force, noprune: options.noPrune };
    return this.transport.json('image.remove', {
      params: { name },
      query,
      ...withSignal(options.signal),
    });
  }

  prune(filters?: Filters): Promise<{
    ImagesDeleted: { Untagged?: string; Deleted?: string }[] | null;
    SpaceReclaimed: number;
  }> {
    return this.transport.json('image.prune', { query: { filters: filterText(filters) } });
  }

  /** A `docker save` archive of the images. */
  save(names: readonly string[], options: Signal = {}): Promise<Readable> {
    return this.transport.open('image.save-many', {
      query: { names },
      ...withSignal(options.signal),
    });
  }

  async *load(
    archive: Readable,
    options: { quiet?: boolean } & Signal = {},
  ): AsyncGenerator<JsonMessage, void, undefined> {
    const call = { query: { quiet: options.quiet }, body: archive, ...withSignal(options.signal) };
    yield* readMessages(await this.transport.open('image.load', call));
  }

  /** Builds from a context tar. `auths`: registry address → its credentials. */
  async *build(
    context: Readable,
    build: BuildQuery,
    options: { auths?: Readonly<Record<string, AuthConfig>> } & Signal = {},
  ): AsyncGenerator<JsonMessage, void, undefined> {
    const headers =
      options.auths === undefined ? {} : { 'X-Registry-Config': encodeHeader(options.auths) };
    const query = {
      dockerfile: build.dockerfile,
      t: build.tags,
      extrahosts: build.extraHosts,
      q: build.quiet,
      nocache: build.noCache,
      pull: build.pull,
      buildargs: jsonText(build.buildArgs),
      labels: jsonText(build.labels),
      target: build.target,
      platform: build.platform,
      networkmode: build.networkMode,
      cachefrom: jsonText(build.cacheFrom),
      shmsize: build.shmSize,
      memory: build.memory,
      'pinnace.context': build.recordContext,
      'pinnace.dockerfile': build.recordDockerfile,
      rm: true,
      version: '1',
    };
    yield* readMessages(
      await this.transport.open('build.run', {
        query,
        headers,
        body: context,
        ...withSignal(options.signal),
      }),
    );
  }

  pruneBuildCache(
    options: { all?: boolean } = {},
  ): Promise<{ CachesDeleted: string[] | null; SpaceReclaimed: number }> {
    return this.transport.json('build.prune', { query: { all: options.all } });
  }
}

function jsonText(value: object | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function encodeHeader(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The name and tag as `POST /images/create` wants them; a digest travels as the tag. */
function splitReference(reference: string): { fromImage: string; tag: string } {
  const at = reference.indexOf('@');
  if (at >= 0) return { fromImage: reference.slice(0, at), tag: reference.slice(at + 1) };
  const colon = reference.lastIndexOf(':');
  if (colon > reference.lastIndexOf('/')) {
    return { fromImage: reference.slice(0, colon), tag: reference.slice(colon + 1) };
  }
  return { fromImage: reference, tag: 'latest' };
}

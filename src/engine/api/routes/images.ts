/** The routes of images. */

import type { Readable } from 'node:stream';
import { EngineError } from '../../../lib/errors.ts';
import type {
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImagesPruned,
  ImageSummary,
} from '../../../lib/api/images.ts';
import type { AuthConfig, Filters, JsonMessage } from '../../../lib/api/system.ts';
import { checkShape } from '../body.ts';
import type { Exchange, Handlers } from '../exchange.ts';
import { jsonHeader, param, sendEmpty, sendJson } from '../exchange.ts';
import { AUTH_FIELDS } from '../shapes.ts';
import { runWithLines, sendStream } from '../streams.ts';

type Answer<T> = T | Promise<T>;

interface Progress {
  readonly onProgress: (line: JsonMessage) => void;
  readonly signal: AbortSignal;
}

/** What these routes call. */
export interface ImageService {
  list(options: { all: boolean; filters: Filters; sharedSize: boolean }): Answer<ImageSummary[]>;
  inspect(reference: string): Answer<ImageInspect>;
  history(reference: string): Answer<ImageHistoryItem[]>;
  tag(reference: string, name: string): Promise<void>;
  remove(
    reference: string,
    options: { force: boolean; prune: boolean },
  ): Promise<ImageDeleteItem[]>;
  /** Resolves to the line that ends a pull, e.g. `Status: Downloaded newer image for …`; '' when it was told already. */
  pull(
    reference: string,
    options: Progress & { platform?: string; auth?: AuthConfig },
  ): Promise<void>;
  load(archive: Readable, options: Progress & { quiet: boolean }): Promise<void>;
  save(references: readonly string[], signal: AbortSignal): Promise<Readable>;
  /** Resolves to the image's id. */
  import(
    archive: Readable,
    options: {
      tag?: string;
      changes: readonly string[];
      message?: string;
      platform?: string;
      signal: AbortSignal;
    },
  ): Promise<string>;
  prune(filters: Filters): Promise<ImagesPruned>;
}

type Names =
  | 'image.list'
  | 'image.create'
  | 'image.inspect'
  | 'image.history'
  | 'image.tag'
  | 'image.remove'
  | 'image.prune'
  | 'image.save'
  | 'image.save-many'
  | 'image.load';

export function imageRoutes(images: ImageService): Pick<Handlers, Names> {
  const save = async (exchange: Exchange, names: readonly string[]): Promise<void> => {
    const archive = await images.save(names, exchange.signal);
    await sendStream(exchange, archive, { 'Content-Type': 'application/x-tar' });
  };
  return {
    'image.list': async (exchange) => {
      const { query } = exchange;
      const filters = { ...query.filters() };
      // Old clients say `filter=NAME`.
      const old = query.optional('filter');
      if (old !== undefined) filters['reference'] = [...(filters['reference'] ?? []), old];
      const options = { all: query.bool('all'), filters, sharedSize: query.bool('shared-size') };
      sendJson(exchange, await images.list(options));
    },
    'image.inspect': async (exchange) =>
      sendJson(exchange, await images.inspect(param(exchange, 'name'))),
    'image.history': async (exchange) =>
      sendJson(exchange, await images.history(param(exchange, 'name'))),
    'image.create': async (exchange) => {
      if (exchange.query.optional('fromSrc') !== undefined) await importImage(images, exchange);
      else await pullImage(images, exchange);
    },
    'image.tag': async (exchange) => {
      const { query } = exchange;
      const repo = query.required('repo');
      const tag = query.optional('tag');
      await images.tag(param(exchange, 'name'), tag === undefined ? repo : `${repo}:${tag}`);
      sendEmpty(exchange, 201);
    },
    'image.remove': async (exchange) => {
      const { query } = exchange;
      const options = { force: query.bool('force'), prune: !query.bool('noprune') };
      sendJson(exchange, await images.remove(param(exchange, 'name'), options));
    },
    'image.prune': async (exchange) =>
      sendJson(exchange, await images.prune(exchange.query.filters())),
    'image.save': (exchange) => save(exchange, [param(exchange, 'name')]),
    'image.save-many': (exchange) => {
      const names = exchange.query.all('names');
      if (names.length === 0)
        throw new EngineError('invalid', 'the query parameter names is missing or empty');
      return save(exchange, names);
    },
    'image.load': async (exchange) => {
      const { query, body, signal } = exchange;
      await runWithLines(exchange, (lines) =>
        images.load(body, {
          quiet: query.bool('quiet'),
          onProgress: (line) => lines.write(line),
          signal,
        }),
      );
    },
  };
}

async function pullImage(images: ImageService, exchange: Exchange): Promise<void> {
  const { query, signal } = exchange;
  const reference = referenceOf(query.required('fromImage'), query.optional('tag'));
  const platform = query.optional('platform');
  const auth = registryAuth(exchange);
  await runWithLines(exchange, (lines) =>
    images.pull(reference, {
      onProgress: (line) => lines.write(line),
      signal,
      ...(platform === undefined ? {} : { platform }),
      ...(auth === undefined ? {} : { auth }),
    }),
  );
}

async function importImage(images: ImageService, exchange: Exchange): Promise<void> {
  const { query, body, signal } = exchange;
  const source = query.text('fromSrc');
  if (source !== '-') {
    throw new EngineError(
      'not-implemented',
      `fromSrc=${source.slice(0, 100)}: an import takes its archive in the request's body (fromSrc=-)`,
    );
  }
  const repo = query.optional('repo');
  const tag = query.optional('tag');
  const message = query.optional('message');
  const platform = query.optional('platform');
  await runWithLines(exchange, async (lines) => {
    const id = await images.import(body, {
      changes: query.all('changes'),
      signal,
      ...(repo === undefined ? {} : { tag: referenceOf(repo, tag) }),
      ...(message === undefined ? {} : { message }),
      ...(platform === undefined ? {} : { platform }),
    });
    lines.write({ status: id });
  });
}

/** Name and tag; a tag with a colon is a digest (`sha256:…`). */
function referenceOf(name: string, tag: string | undefined): string {
  if (tag === undefined) return name;
  return tag.includes(':') ? `${name}@${tag}` : `${name}:${tag}`;
}

function registryAuth(exchange: Exchange): AuthConfig | undefined {
  const auth = jsonHeader(exchange, 'x-registry-auth');
  checkShape(auth, AUTH_FIELDS, 'X-Registry-Auth');
  return auth;
}

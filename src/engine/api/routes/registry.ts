/** The routes that talk to registries beside pulling: push, search, and what a reference leads to. */

import type { DistributionInspect, ImageSearchItem } from '../../../lib/api/images.ts';
import type { AuthConfig, JsonMessage } from '../../../lib/api/system.ts';
import { EngineError } from '../../../lib/errors.ts';
import { checkShape } from '../body.ts';
import type { Exchange, Handlers } from '../exchange.ts';
import { jsonHeader, param, sendJson } from '../exchange.ts';
import { checkFilters } from '../query.ts';
import { AUTH_FIELDS } from '../shapes.ts';
import { runWithLines } from '../streams.ts';

interface Remote {
  readonly auth?: AuthConfig;
  readonly signal: AbortSignal;
}

/** What these routes call. */
export interface RegistryService {
  push(
    name: string,
    options: Remote & { tag?: string; onProgress: (line: JsonMessage) => void },
  ): Promise<void>;
  search(term: string, limit: number, options: Remote): Promise<ImageSearchItem[]>;
  distribution(name: string, options: Remote): Promise<DistributionInspect>;
}

type Names = 'image.push' | 'image.search' | 'distribution.inspect';

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

export function registryRoutes(registry: RegistryService): Pick<Handlers, Names> {
  return {
    'image.push': async (exchange) => {
      const tag = exchange.query.optional('tag');
      await runWithLines(exchange, (lines) =>
        registry.push(param(exchange, 'name'), {
          ...remote(exchange),
          ...(tag === undefined ? {} : { tag }),
          onProgress: (line) => lines.write(line),
        }),
      );
    },
    'image.search': async (exchange) => {
      const { query } = exchange;
      const filters = query.filters();
      checkFilters(filters, ['is-official', 'is-automated', 'stars']);
      const limit = query.int('limit', { min: 1, max: MAX_LIMIT }) ?? DEFAULT_LIMIT;
      const found = await registry.search(query.required('term'), limit, remote(exchange));
      const stars = Math.max(0, ...(filters['stars'] ?? []).map(wholeNumber));
      const matching = found.filter(
        (item) =>
          item.star_count >= stars &&
          agrees(filters['is-official'], item.is_official) &&
          agrees(filters['is-automated'], item.is_automated),
      );
      sendJson(exchange, matching);
    },
    'distribution.inspect': async (exchange) =>
      sendJson(exchange, await registry.distribution(param(exchange, 'name'), remote(exchange))),
  };
}

function remote(exchange: Exchange): Remote {
  const auth = jsonHeader(exchange, 'x-registry-auth');
  checkShape(auth, AUTH_FIELDS, 'X-Registry-Auth');
  return { signal: exchange.signal, ...(auth === undefined ? {} : { auth: auth }) };
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new EngineError('invalid', `invalid filter 'stars=${text.slice(0, 50)}'`);
}

function agrees(wanted: readonly string[] | undefined, is: boolean): boolean {
  if (wanted === undefined || wanted.length === 0) return true;
  return wanted.some((value) => (value === 'true' || value === '1') === is);
}

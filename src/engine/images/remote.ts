/** Owns what is asked of a registry without pulling: a search, and the facts of a reference. */

import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { DistributionInspect, ImageSearchItem } from '../../lib/api/images.ts';
import { parseBounded, parseConfig, parseManifest } from '../../lib/image/manifest.ts';
import { parseReference, withDefaultTag } from '../../lib/image/reference.ts';
import type { RegistryConfig } from '../../lib/image/registry-config.ts';
import { isRecord } from '../../lib/record.ts';
import { endpointsOf } from './endpoints.ts';
import { openRepository } from './registry.ts';
import { DEFAULT_LIMITS, Transport } from './transport.ts';
import type { RegistryAuth } from './types.ts';

export interface RemoteOptions {
  readonly config: RegistryConfig;
  readonly auth?: RegistryAuth;
  readonly signal: AbortSignal;
}

const HUB_INDEX = 'https://index.docker.io';
const MAX_ANSWER = 4 * 1024 * 1024;

/** Docker Hub's search, or `HOST/term` of another registry that has the old search API. */
export async function searchImages(
  term: string,
  limit: number,
  options: RemoteOptions,
): Promise<ImageSearchItem[]> {
  const slash = term.indexOf('/');
  const host = slash < 0 ? '' : term.slice(0, slash);
  const other = host !== 'docker.io' && /[.:]|^localhost$/.test(host);
  const domain = other ? host : 'docker.io';
  const words = other || host === 'docker.io' ? term.slice(slash + 1) : term;
  const places = other
    ? endpointsOf(domain, options.config).filter(({ mirror }) => !mirror)
    : [{ base: HUB_INDEX, mirror: false, insecure: false }];
  const transport = new Transport(options.auth, { ...DEFAULT_LIMITS, retries: 1 });
  let failure: unknown;
  try {
    for (const endpoint of places) {
      const query = new URLSearchParams({ q: words, n: String(limit) });
      try {
        const answer = await transport.get({
          endpoint,
          url: `${endpoint.base}/v1/search?${query.toString()}`,
          scope: '',
          signal: options.signal,
        });
        const text = (await transport.body(answer, MAX_ANSWER, 'the search answer')).toString();
        return itemsOf(parseBounded(text, 'the search answer', MAX_ANSWER)).slice(0, limit);
      } catch (error) {
        failure = error;
      }
    }
  } finally {
    await transport.close();
  }
  throw new EngineError(
    kindOf(failure),
    `cannot search ${domain} for images: ${messageOf(failure)}`,
    { cause: failure },
  );
}

function itemsOf(document: unknown): ImageSearchItem[] {
  const results = isRecord(document) ? document['results'] : undefined;
  if (!Array.isArray(results))
    throw new EngineError('invalid', 'the registry answered the search with something else');
  return results.filter(isRecord).map((item) => ({
    name: textOf(item['name']),
    description: textOf(item['description']),
    is_official: item['is_official'] === true,
    is_automated: item['is_automated'] === true,
    star_count: Number(item['star_count'] ?? 0) || 0,
  }));
}

/** The descriptor that a reference leads to, and the platforms it is there for. */
export async function inspectRemote(
  name: string,
  options: RemoteOptions,
): Promise<DistributionInspect> {
  const reference = withDefaultTag(parseReference(name));
  const repository = openRepository(reference, options);
  try {
    const raw = await repository.manifest(reference.digest ?? reference.tag ?? 'latest');
    const document = parseManifest(raw.bytes.toString('utf8'), raw.mediaType);
    const { digest } = raw;
    const mediaType = raw.mediaType === '' ? '' : raw.mediaType;
    const Descriptor = { mediaType, digest, size: raw.bytes.length };
    if (document.kind === 'index') {
      const platforms = document.index.manifests.flatMap(({ platform }) =>
        platform === undefined || platform.os === 'unknown' ? [] : [platform],
      );
      return { Descriptor, Platforms: platforms };
    }
    const config = parseConfig((await repository.document(document.manifest.config)).toString());
    const { architecture, os, variant } = config;
    const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
    return { Descriptor, Platforms: [platform] };
  } finally {
    await repository.close();
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * Reads facts of a registry: tags, and an image's configuration, as anybody or as the user of `login`, over HTTPS
 * (plain HTTP only to this machine). It writes nothing.
 */

import { EngineError } from '../../lib/errors.ts';
import type { Reference } from '../../lib/image/reference.ts';
import { isRecord } from '../../lib/record.ts';
import { type RegistryOptions, RegistrySession, type Subject } from './session.ts';

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

const PAGE_LIMIT = 10;
const TAG_LIMIT = 20_000;
/** What a manifest is accepted as. */
export const MANIFESTS = [
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
  const session = new RegistrySession(repository.domain, options);
  const tags: string[] = [];
  let path: string | undefined = `/v2/${repository.path}/tags/list?n=1000`;
  for (let page = 0; path !== undefined && page < PAGE_LIMIT && tags.length < TAG_LIMIT; page++) {
    const { value, next } = await session.json(path, 'application/json', pulling(repository.path));
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
  const session = new RegistrySession(reference.domain, options);
  const subject = pulling(reference.path);
  const at = (kind: 'manifests' | 'blobs', name: string): string =>
    `/v2/${reference.path}/${kind}/${encodeURIComponent(name).replace('%3A', ':')}`;
  const name = reference.digest ?? reference.tag ?? 'latest';
  const top = await session.json(at('manifests', name), MANIFESTS, subject);
  const entries = entriesOf(top.value);
  const chosen = entries.find((entry) => entry.platform === platform) ?? entries[0];
  const manifest =
    chosen === undefined
      ? top.value
      : (await session.json(at('manifests', chosen.digest), MANIFESTS, subject)).value;
  const digest =
    isRecord(manifest) && isRecord(manifest['config']) ? manifest['config']['digest'] : undefined;
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new EngineError(
      'invalid',
      `${reference.domain} gives no configuration of ${reference.path}`,
    );
  const { value: config } = await session.json(at('blobs', digest), '*/*', subject);
  if (!isRecord(config))
    throw new EngineError('invalid', `the configuration of ${reference.path} is no JSON object`);
  const own = [config['os'], config['architecture']]
    .filter((part) => typeof part === 'string')
    .join('/');
  const platforms = entries.length > 0 ? entries.map((entry) => entry.platform) : [own];
  return { config, size: layersSize(manifest), platforms, digest: top.digest };
}

/** The right to read a repository. */
export function pulling(path: string): Subject {
  return { name: path, scope: `repository:${path}:pull` };
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

/** A tag as the specification allows it. */
export function isTag(value: unknown): value is string {
  return typeof value === 'string' && /^\w[\w.-]{0,127}$/.test(value);
}

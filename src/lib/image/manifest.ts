/**
 * Owns the reading of manifests, indexes and image configurations that came from outside (image-spec 1.1,
 * Docker's v2 schema 2). Everything is checked before it is believed; nothing here does I/O.
 */

import { EngineError } from '../errors.ts';
import type { Descriptor, ImageConfig, ImageIndex, Manifest, Platform } from './config.ts';
import { checkDigest } from './digest.ts';

export const MEDIA = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
} as const;

/** The media types that a client asks a registry for, best first. */
export const ACCEPTED_MANIFESTS: readonly string[] = [
  MEDIA.ociManifest,
  MEDIA.ociIndex,
  MEDIA.dockerManifest,
  MEDIA.dockerList,
];

/** Bounds on documents that others wrote: bytes of text, depth of nesting, entries. */
export const LIMITS = {
  manifestBytes: 4 * 1024 * 1024,
  configBytes: 8 * 1024 * 1024,
  depth: 64,
  layers: 500,
  indexEntries: 1000,
} as const;

export type ManifestDocument =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly index: ImageIndex };

const MANIFESTS: ReadonlySet<string> = new Set([MEDIA.ociManifest, MEDIA.dockerManifest]);
const INDEXES: ReadonlySet<string> = new Set([MEDIA.ociIndex, MEDIA.dockerList]);
const CONFIGS: ReadonlySet<string> = new Set([
  MEDIA.ociConfig,
  MEDIA.dockerConfig,
  'application/octet-stream',
]);
const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer(?:\.nondistributable)?\.v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.(?:diff|foreign\.diff)\.tar(?:\.gzip|\.zstd)?)$/;

/**
 * Reads a manifest or an index. `mediaType` is what the transport said; it must not contradict the
 * document, and a document that is both kinds at once is refused (image-spec, CVE-2021-41190).
 */
export function parseManifest(text: string, mediaType?: string): ManifestDocument {
  const document = parseJson(text, 'the manifest', LIMITS.manifestBytes);
  if (document['schemaVersion'] === 1) {
    throw new EngineError(
      'not-implemented',
      'Docker image manifest version 2, schema 1 is no longer supported: push the image again with a current tool',
    );
  }
  if (document['schemaVersion'] !== 2) throw bad('the manifest has no schemaVersion 2');
  const inner = document['mediaType'];
  if (inner !== undefined && typeof inner !== 'string') throw bad('mediaType is not a text');
  const outer = known(mediaType) ? mediaType : undefined;
  if (inner !== undefined && outer !== undefined && inner !== outer) {
    throw bad(`the manifest says it is ${inner} but was sent as ${outer}`);
  }
  const hasLayers = document['layers'] !== undefined || document['config'] !== undefined;
  const hasManifests = document['manifests'] !== undefined;
  if (hasLayers && hasManifests) throw bad('the document is a manifest and an index at once');
  const type = inner ?? outer;
  if (type !== undefined && !known(type)) throw bad(`unsupported manifest media type ${type}`);
  const isIndex = type === undefined ? hasManifests : INDEXES.has(type);
  const common = inner === undefined ? {} : { mediaType: inner };
  if (isIndex) {
    const manifests = list(document['manifests'], 'manifests', LIMITS.indexEntries).map(
      (entry, at) => parseDescriptor(entry, `manifests[${String(at)}]`),
    );
    return { kind: 'index', index: { schemaVersion: 2, ...common, manifests } };
  }
  const config = parseDescriptor(document['config'], 'config');
  if (!CONFIGS.has(config.mediaType)) {
    throw bad(`this is not a container image: its configuration is of type ${config.mediaType}`);
  }
  const layers = list(document['layers'], 'layers', LIMITS.layers).map((entry, at) => {
    const layer = parseDescriptor(entry, `layers[${String(at)}]`);
    if (!LAYER.test(layer.mediaType))
      throw bad(`layers[${String(at)}] has the unsupported media type ${layer.mediaType}`);
    return layer;
  });
  if (config.size > LIMITS.configBytes)
    throw bad(`the configuration is larger than ${String(LIMITS.configBytes)} bytes`);
  return { kind: 'manifest', manifest: { schemaVersion: 2, ...common, config, layers } };
}

/** Reads an image configuration; what it lacks is filled in, what is of a wrong type is refused. */
export function parseConfig(text: string): ImageConfig {
  const document = parseJson(text, 'the image configuration', LIMITS.configBytes);
  const rootfs = record(document['rootfs'], 'rootfs');
  const diffIds = list(rootfs['diff_ids'] ?? [], 'rootfs.diff_ids', LIMITS.layers).map(
    (entry, at) => checkDigest(entry, `rootfs.diff_ids[${String(at)}]`),
  );
  checkTexts(document, ['created', 'author', 'architecture', 'os', 'variant', 'os.version']);
  if (document['config'] !== undefined && document['config'] !== null)
    checkRunConfig(record(document['config'], 'config'));
  if (document['history'] !== undefined && document['history'] !== null) {
    for (const [at, entry] of list(document['history'], 'history', 10 * LIMITS.layers).entries()) {
      checkTexts(record(entry, `history[${String(at)}]`), [
        'created',
        'created_by',
        'author',
        'comment',
      ]);
    }
  }
  const config = Object.fromEntries(
    Object.entries(document).filter(([, value]) => value !== null),
  ) as Partial<ImageConfig>;
  return {
    ...config,
    architecture: config.architecture ?? '',
    os: config.os ?? '',
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
}

/** Parses JSON of bounded size and depth whose top is an object; throws `invalid` naming `what`. */
export function parseJson(text: string, what: string, maxBytes: number): Record<string, unknown> {
  return record(parseBounded(text, what, maxBytes), what);
}

/** As parseJson, for a document of any form. */
export function parseBounded(text: string, what: string, maxBytes: number): unknown {
  if (text.length > maxBytes) throw bad(`${what} is larger than ${String(maxBytes)} bytes`);
  if (tooDeep(text)) throw bad(`${what} is nested deeper than ${String(LIMITS.depth)} levels`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw bad(`${what} is not valid JSON`);
  }
}

function known(type: string | undefined): boolean {
  return type !== undefined && (MANIFESTS.has(type) || INDEXES.has(type));
}

function parseDescriptor(value: unknown, what: string): Descriptor {
  const entry = record(value, what);
  const { mediaType, size } = entry as { mediaType?: unknown; size?: unknown };
  if (typeof mediaType !== 'string') throw bad(`${what} has no mediaType`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw bad(`${what} has no valid size`);
  const descriptor: Descriptor = { mediaType, size, digest: checkDigest(entry['digest'], what) };
  if (entry['platform'] !== undefined && entry['platform'] !== null) {
    descriptor.platform = parsePlatformMember(record(entry['platform'], `${what}.platform`));
  }
  if (entry['annotations'] !== undefined && entry['annotations'] !== null) {
    const annotations = record(entry['annotations'], `${what}.annotations`);
    checkTexts(annotations, Object.keys(annotations));
    descriptor.annotations = annotations as Record<string, string>;
  }
  return descriptor;
}

function parsePlatformMember(value: Record<string, unknown>): Platform {
  checkTexts(value, ['architecture', 'os', 'variant', 'os.version']);
  const platform: Platform = {
    architecture: textOf(value['architecture']),
    os: textOf(value['os']),
  };
  if (typeof value['variant'] === 'string') platform.variant = value['variant'];
  if (typeof value['os.version'] === 'string') platform['os.version'] = value['os.version'];
  return platform;
}

function checkRunConfig(config: Record<string, unknown>): void {
  checkTexts(config, ['User', 'WorkingDir', 'StopSignal']);
  for (const name of ['Env', 'Entrypoint', 'Cmd', 'Shell', 'OnBuild']) {
    const value = config[name];
    if (value === undefined || value === null) continue;
    if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
      throw bad(`config.${name} is not a list of texts`);
    }
  }
  for (const name of ['ExposedPorts', 'Volumes', 'Labels', 'Healthcheck']) {
    const value = config[name];
    if (value !== undefined && value !== null) record(value, `config.${name}`);
  }
  const labels = (config['Labels'] ?? {}) as Record<string, unknown>;
  checkTexts(labels, Object.keys(labels));
}

function checkTexts(value: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const member = value[name];
    if (member !== undefined && member !== null && typeof member !== 'string')
      throw bad(`${name} is not a text`);
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw bad(`${what} is not an object`);
}

function list(value: unknown, what: string, max: number): unknown[] {
  if (!Array.isArray(value)) throw bad(`${what} is not a list`);
  if (value.length > max)
    throw bad(`${what} has ${String(value.length)} entries; at most ${String(max)} are accepted`);
  return value;
}

function tooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > LIMITS.depth) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

function bad(message: string): EngineError {
  return new EngineError('invalid', message);
}

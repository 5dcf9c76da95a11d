/** Owns the meaning of image archives: which images a docker archive's manifest.json or an OCI layout's index.json names. Pure. */

import { EngineError } from '../../lib/errors.ts';
import type { Descriptor, Digest, Platform } from '../../lib/image/config.ts';
import { hexOf } from '../../lib/image/digest.ts';
import { LIMITS, parseBounded, parseManifest } from '../../lib/image/manifest.ts';
import { formatPlatform, selectManifest } from '../../lib/image/platform.ts';
import { parseReference, tryReference, withDefaultTag } from '../../lib/image/reference.ts';
import type { Reference } from '../../lib/image/reference.ts';

/** One image of an archive; `config` and `layers` are names of files in it, layers bottom first. */
export interface ArchiveImage {
  readonly config: string;
  readonly layers: readonly string[];
  readonly names: readonly Reference[];
}

/** The small documents of an archive. */
export interface ArchiveDocuments {
  /** The text of a file, undefined when it is not there. */
  read(name: string): string | undefined;
}

const MAX_IMAGES = 1000;

/** The images of an archive; docker's manifest.json wins over an OCI index. Throws `invalid`. */
export function planArchive(documents: ArchiveDocuments, host: Platform): ArchiveImage[] {
  const manifest = documents.read('manifest.json');
  if (manifest !== undefined) return fromDockerManifest(manifest);
  const index = documents.read('index.json');
  if (index !== undefined) return fromIndex(documents, index, host);
  throw new EngineError(
    'invalid',
    'the archive has neither manifest.json nor index.json, so it is not an image archive: a root file system is read with docker import',
  );
}

/** The file of a blob in an OCI layout. */
export function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function fromDockerManifest(text: string): ArchiveImage[] {
  const list = parseBounded(text, 'manifest.json', LIMITS.manifestBytes);
  if (!Array.isArray(list) || list.length > MAX_IMAGES)
    throw new EngineError('invalid', 'manifest.json is not a list of images');
  return list.map((entry: unknown, at): ArchiveImage => {
    const what = `manifest.json[${String(at)}]`;
    if (typeof entry !== 'object' || entry === null)
      throw new EngineError('invalid', `${what} is not an object`);
    const { Config, Layers, RepoTags } = entry as Record<string, unknown>;
    if (typeof Config !== 'string') throw new EngineError('invalid', `${what} names no Config`);
    const layers = textList(Layers ?? [], `${what}.Layers`);
    if (layers.length > LIMITS.layers)
      throw new EngineError('invalid', `${what} has more than ${String(LIMITS.layers)} layers`);
    const names = textList(RepoTags ?? [], `${what}.RepoTags`).map((name) => taggedName(name));
    return { config: Config, layers, names };
  });
}

function fromIndex(documents: ArchiveDocuments, text: string, host: Platform): ArchiveImage[] {
  const top = parseManifest(text);
  if (top.kind !== 'index') throw new EngineError('invalid', 'index.json is not an image index');
  const images = new Map<Digest, ArchiveImage>();
  for (const entry of top.index.manifests) {
    const image = fromDescriptor(documents, entry, host);
    const before = images.get(entry.digest);
    const names = [...(before?.names ?? []), ...image.names];
    images.set(entry.digest, { ...image, names });
  }
  if (images.size === 0) throw new EngineError('invalid', 'index.json names no image');
  return [...images.values()];
}

function fromDescriptor(
  documents: ArchiveDocuments,
  entry: Descriptor,
  host: Platform,
): ArchiveImage {
  let at = entry;
  for (let depth = 0; depth < 3; depth++) {
    const text = documents.read(blobName(at.digest));
    if (text === undefined)
      throw new EngineError(
        'invalid',
        `the archive has no blob ${at.digest}, which its index names`,
      );
    const document = parseManifest(text, at.mediaType);
    if (document.kind === 'manifest') {
      const { config, layers } = document.manifest;
      return {
        config: blobName(config.digest),
        layers: layers.map((layer) => blobName(layer.digest)),
        names: namesOf(entry),
      };
    }
    const next = selectManifest(document.index, host);
    if (next === undefined)
      throw new EngineError('not-found', `the archive has no image for ${formatPlatform(host)}`);
    at = next;
  }
  throw new EngineError('invalid', 'the archive has indexes in indexes without end');
}

/** The name in the annotations; a bare tag (as `skopeo copy oci:dir:tag` writes) names no repository. */
function namesOf(entry: Descriptor): Reference[] {
  const full = entry.annotations?.['io.containerd.image.name'];
  const short = entry.annotations?.['org.opencontainers.image.ref.name'];
  const text = full ?? (short !== undefined && /[/:]/.test(short) ? short : undefined);
  const reference = text === undefined ? undefined : tryReference(text);
  if (reference === undefined || reference.digest !== undefined) return [];
  return [withDefaultTag(reference)];
}

function taggedName(text: string): Reference {
  const reference = parseReference(text);
  if (reference.tag !== undefined && reference.digest === undefined) return reference;
  throw new EngineError('invalid', `invalid tag "${text}"`);
}

function textList(value: unknown, what: string): string[] {
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw new EngineError('invalid', `${what} is not a list of texts`);
}

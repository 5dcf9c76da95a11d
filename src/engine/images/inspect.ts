/** Owns the answers of `GET /images/json` and `GET /images/{name}/json`, with the list's filters. Pure. */

import type { ImageInspect, ImageSummary } from '../../lib/api/images.ts';
import { EngineError } from '../../lib/errors.ts';
import { tryReference, familiarName } from '../../lib/image/reference.ts';
import { secondsOf } from './history.ts';
import type { Image } from './types.ts';

/** Docker's filters: name → accepted values. */
export type ImageFilters = Readonly<Record<string, readonly string[]>>;

export interface ListOptions {
  /** Also images that are only steps on the way to others. */
  readonly all: boolean;
  readonly filters: ImageFilters;
  /** Resolves the values of `before` and `since`; throws not-found. */
  readonly get: (reference: string) => Image;
  /** Milliseconds since the epoch, for durations in `until`. */
  readonly now: number;
}

const FILTERS: ReadonlySet<string> = new Set([
  'reference',
  'dangling',
  'label',
  'before',
  'since',
  'until',
]);

/** The images that `docker images` shows, newest first. Throws `invalid` for an unknown filter or value. */
export function listImages(images: readonly Image[], options: ListOptions): ImageSummary[] {
  const accepts = imageFilter(options);
  const parents = new Set(images.map((image) => image.parent));
  const summaries: ImageSummary[] = [];
  for (const image of images) {
    const step = isDangling(image) && parents.has(image.id);
    if (step && !options.all) continue;
    if (!accepts(image)) continue;
    summaries.push(summary(image, options.filters['reference'] ?? []));
  }
  return summaries.sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
}

/** `lowers` are the directories of the layers, top first. */
export function inspectImage(image: Image, lowers: readonly string[]): ImageInspect {
  const { config } = image;
  const layers = config.rootfs.diff_ids;
  const [upper, ...rest] = lowers;
  return {
    Id: image.id,
    RepoTags: [...image.tags],
    RepoDigests: [...image.digests],
    Parent: image.parent,
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: image.created === '' ? '0001-01-01T00:00:00Z' : image.created,
    DockerVersion: '',
    Author: config.author ?? '',
    Config: config.config ?? {},
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    ...(config['os.version'] === undefined ? {} : { OsVersion: config['os.version'] }),
    Size: image.size,
    VirtualSize: image.size,
    GraphDriver: {
      Name: 'overlay2',
      Data:
        upper === undefined
          ? null
          : { UpperDir: upper, ...(rest.length === 0 ? {} : { LowerDir: rest.join(':') }) },
    },
    RootFS: { Type: 'layers', ...(layers.length === 0 ? {} : { Layers: [...layers] }) },
    Metadata: { LastTagTime: image.lastTagged === '' ? '0001-01-01T00:00:00Z' : image.lastTagged },
  };
}

/** Whether `image` passes the filters; shared by list and prune. */
export function imageFilter(options: Omit<ListOptions, 'all'>): (image: Image) => boolean {
  const { filters } = options;
  for (const name of Object.keys(filters)) {
    if (!FILTERS.has(name) && name !== 'label!')
      throw new EngineError('invalid', `invalid filter '${name}'`);
  }
  const tests: ((image: Image) => boolean)[] = [];
  const dangling = filters['dangling'];
  if (dangling !== undefined && dangling.length > 0) {
    const wanted = booleanOf(dangling, 'dangling');
    tests.push((image) => isDangling(image) === wanted);
  }
  for (const label of filters['label'] ?? []) tests.push((image) => hasLabel(image, label));
  for (const label of filters['label!'] ?? []) tests.push((image) => !hasLabel(image, label));
  const references = filters['reference'] ?? [];
  if (references.length > 0) {
    tests.push((image) =>
      [...image.tags, ...image.digests].some((name) => matchesAny(name, references)),
    );
  }
  for (const text of filters['before'] ?? []) {
    const limit = secondsOf(options.get(text).created);
    tests.push((image) => secondsOf(image.created) < limit);
  }
  for (const text of filters['since'] ?? []) {
    const limit = secondsOf(options.get(text).created);
    tests.push((image) => secondsOf(image.created) > limit);
  }
  for (const text of filters['until'] ?? []) {
    const limit = timeOf(text, options.now);
    tests.push((image) => Date.parse(image.created) < limit);
  }
  return (image) => tests.every((test) => test(image));
}

function summary(image: Image, references: readonly string[]): ImageSummary {
  const shown = (names: readonly string[]): string[] =>
    references.length === 0 ? [...names] : names.filter((name) => matchesAny(name, references));
  return {
    Id: image.id,
    ParentId: image.parent,
    RepoTags: shown(image.tags),
    RepoDigests: shown(image.digests),
    Created: secondsOf(image.created),
    Size: image.size,
    SharedSize: -1,
    VirtualSize: image.size,
    Labels: image.config.config?.Labels ?? null,
    Containers: -1,
  };
}

function isDangling(image: Image): boolean {
  return image.tags.length === 0 && image.digests.length === 0;
}

function hasLabel(image: Image, filter: string): boolean {
  const labels = new Map(Object.entries(image.config.config?.Labels ?? {}));
  const equals = filter.indexOf('=');
  if (equals < 0) return labels.has(filter);
  return labels.get(filter.slice(0, equals)) === filter.slice(equals + 1);
}

/** Docker matches a pattern against the familiar name, with and without the tag (path.Match). */
function matchesAny(name: string, patterns: readonly string[]): boolean {
  const reference = tryReference(name);
  const bare = reference === undefined ? name : familiarName(reference);
  return patterns.some((pattern) => matchesGlob(pattern, name) || matchesGlob(pattern, bare));
}

/** Go's path.Match: `*` and `?` do not cross slashes, `[a-z]` and `[^a-z]` are classes. Linear backtracking. */
function matchesGlob(pattern: string, text: string): boolean {
  const parts = pattern.split('/');
  const texts = text.split('/');
  return (
    parts.length === texts.length && parts.every((part, at) => matchesPart(part, texts[at] ?? ''))
  );
}

function matchesPart(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    const taken = pattern[p] === '*' ? 0 : takesOne(pattern, p, text[t] ?? '');
    if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (taken > 0) {
      p += taken;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** How many characters of the pattern match `char` at `at`; 0 when they do not. */
function takesOne(pattern: string, at: number, char: string): number {
  const first = pattern[at];
  if (first === undefined) return 0;
  if (first === '?') return 1;
  if (first === '\\') return pattern[at + 1] === char ? 2 : 0;
  if (first !== '[') return first === char ? 1 : 0;
  const end = pattern.indexOf(']', at + 2);
  if (end < 0)
    throw new EngineError(
      'invalid',
      `invalid filter 'reference=${pattern}': syntax error in pattern`,
    );
  const negated = pattern[at + 1] === '^';
  const inside = pattern.slice(at + (negated ? 2 : 1), end);
  let found = false;
  for (let i = 0; i < inside.length; i++) {
    const low = inside[i] ?? '';
    const isRange = inside[i + 1] === '-' && i + 2 < inside.length;
    const high = isRange ? (inside[i + 2] ?? '') : low;
    if (char >= low && char <= high) found = true;
    if (isRange) i += 2;
  }
  return found !== negated ? end - at + 1 : 0;
}

function booleanOf(values: readonly string[], name: string): boolean {
  const [value = ''] = values;
  if (['1', 'true', 't', 'True', 'TRUE', 'T'].includes(value)) return true;
  if (['0', 'false', 'f', 'False', 'FALSE', 'F'].includes(value)) return false;
  throw new EngineError('invalid', `invalid filter '${name}=[${values.join(' ')}]'`);
}

/** Milliseconds of a Go duration before now, of seconds since the epoch, or of an RFC 3339 time. */
function timeOf(text: string, now: number): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^(?:\d+(?:\.\d+)?(?:h|m|s|ms))+$/.test(text)) {
    const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
    let total = 0;
    for (const match of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
      total += Number(match[1]) * (units[match[2] ?? ''] ?? 0);
    }
    return now - total;
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new EngineError('invalid', `invalid filter 'until=${text}'`);
  return time;
}

/** Completes image names, tags and stages. It answers with what is known at once and never waits for anybody. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { BASE_IMAGES } from '../../../src/lib/dockerfile/manual/images.ts';
import type { Dockerfile, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { familiarName, type Reference, tryReference } from '../../../src/lib/image/reference.ts';
import { type Completions, type Draft, itemsAt } from './items.ts';

/** Something that may be known now, later or never. */
export interface Known<T> {
  readonly value: T | undefined;
  /** It is being asked for: another request soon may know more. */
  readonly pending: boolean;
}

/** What is known of images, and asked for in the background. Its calls return at once. */
export interface ImageSource {
  /** Familiar names with tags of the images that the local engine has. */
  local(): Known<readonly string[]>;
  /** The tags of a repository on its registry. */
  tags(repository: Reference): Known<readonly string[]>;
  /** Repositories of a registry (`ghcr.io`, `localhost:5000`) or of a namespace of Docker Hub, as names for FROM. */
  repositories(place: string): Known<readonly string[]>;
  /** What a name stands for, `sha256:…`. */
  digest(name: string): Known<string>;
  /** The platforms that there are of a name, `os/arch[/variant]`. */
  platforms(name: string): Known<readonly string[]>;
}

export interface ImagePlace {
  readonly place: Range;
  /** The name up to the cursor. */
  readonly typed: string;
  /** Only stages above this offset; undefined: all. */
  readonly before: number | undefined;
}

/** Longer lists are cut; typing on narrows them. */
const LIMIT = 500;

export function imagesAndStages(
  file: Dockerfile,
  { place, typed, before }: ImagePlace,
  source: ImageSource | undefined,
): Completions {
  const local = source?.local() ?? { value: undefined, pending: false };
  const colon = typed.lastIndexOf(':');
  const at = typed.indexOf('@');
  if (at > 0) return digestOf(file, { place, name: typed.slice(0, at) }, source);
  const isTag = colon > typed.lastIndexOf('/');
  if (isTag) return tagsOf(file, { place, typed, local }, source);
  const stages: Draft[] = file.stages
    .filter(({ name, range }) => name !== undefined && (before === undefined || range.end < before))
    .map(({ from }) => ({
      label: from.name?.text ?? '',
      detail: `stage from ${from.image.text}`,
      kind: CompletionItemKind.Module,
    }));
  const images: Draft[] = (local.value ?? []).map((label) => ({
    label,
    detail: 'local image',
    kind: CompletionItemKind.Reference,
  }));
  const empty: Draft = {
    label: 'scratch',
    detail: 'the empty image',
    kind: CompletionItemKind.Constant,
  };
  const remote = placeIn(typed);
  const listed = remote === undefined ? undefined : source?.repositories(remote);
  const others: Draft[] = (listed?.value ?? []).map((label) => ({
    label,
    detail: 'on the registry',
    kind: CompletionItemKind.Reference,
  }));
  const known = new Set(images.map(({ label }) => label.split(':')[0]));
  const usual: Draft[] = Object.entries(BASE_IMAGES)
    .filter(([name]) => !known.has(name))
    .map(([label, detail]) => ({ label, detail, kind: CompletionItemKind.Reference }));
  // A tag or digest that is there already stays behind a name that comes without one.
  const version = /[:@][^/]*$/.exec(file.text.slice(place.start + typed.length, place.end));
  const named = { start: place.start, end: place.end - (version?.[0].length ?? 0) };
  const unversioned = [...others, ...usual].map((draft) => ({ ...draft, place: named }));
  const wanted = typed.toLowerCase();
  const all = [
    ...stages,
    ...images,
    ...(before === undefined ? [] : [empty]),
    ...unversioned,
  ].filter(({ label }) => label.toLowerCase().includes(wanted));
  return {
    items: itemsAt(file, place, all.slice(0, LIMIT)),
    isIncomplete: local.pending || listed?.pending === true || all.length > LIMIT,
  };
}

/** The registry or the namespace of Docker Hub that a name begins with. */
function placeIn(typed: string): string | undefined {
  const first = /^([\w.-]+(?::\d{1,5})?)\//.exec(typed)?.[1];
  return first === undefined || /[A-Z_]/.test(first) ? undefined : first;
}

/** Behind an @: the digest that the name stands for now. */
function digestOf(
  file: Dockerfile,
  { place, name }: { readonly place: Range; readonly name: string },
  source: ImageSource | undefined,
): Completions {
  const known = source?.digest(name);
  const drafts: Draft[] =
    known?.value === undefined
      ? []
      : [
          {
            label: known.value,
            insert: `${name}@${known.value}`,
            detail: `what ${name} stands for now`,
            kind: CompletionItemKind.Constant,
          },
        ];
  return { items: itemsAt(file, place, drafts), isIncomplete: known?.pending === true };
}

interface TagPlace {
  readonly place: Range;
  readonly typed: string;
  readonly local: Known<readonly string[]>;
}

function tagsOf(
  file: Dockerfile,
  { place, typed, local }: TagPlace,
  source: ImageSource | undefined,
): Completions {
  const name = typed.slice(0, typed.lastIndexOf(':'));
  const begun = typed.slice(name.length + 1).toLowerCase();
  const reference = tryReference(name);
  const remote =
    reference === undefined ? undefined : source?.tags({ ...reference, tag: undefined });
  const familiar = reference === undefined ? name : familiarName(reference);
  const here = (local.value ?? [])
    .filter((image) => image.startsWith(`${familiar}:`))
    .map((image) => image.slice(familiar.length + 1));
  const there = (remote?.value ?? []).filter((tag) => !here.includes(tag)).sort(newestFirst);
  const drafts = [
    ...here.map((tag) => ({ tag, detail: 'local image' })),
    ...there.map((tag) => ({ tag, detail: 'on the registry' })),
  ]
    .filter(({ tag }) => tag.toLowerCase().includes(begun))
    .map(({ tag, detail }): Draft => ({
      label: tag,
      insert: `${name}:${tag}`,
      detail,
      kind: CompletionItemKind.Value,
    }));
  return {
    items: itemsAt(file, place, drafts.slice(0, LIMIT)),
    isIncomplete: local.pending || remote?.pending === true || drafts.length > LIMIT,
  };
}

/** `latest`, then versions downwards, then words; variants of a version behind it. */
export function newestFirst(a: string, b: string): number {
  if (a === 'latest' || b === 'latest') return a === b ? 0 : a === 'latest' ? -1 : 1;
  const [first, second] = [versionOf(a), versionOf(b)];
  if (first === undefined || second === undefined) {
    if (first === second) return a < b ? -1 : a > b ? 1 : 0;
    return first === undefined ? 1 : -1;
  }
  const length = Math.max(first.length, second.length);
  for (let at = 0; at < length; at++) {
    const difference = (second[at] ?? Infinity) - (first[at] ?? Infinity);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return a.length - b.length || (a < b ? -1 : 1);
}

function versionOf(tag: string): number[] | undefined {
  const found = /^v?(\d{1,9}(?:\.\d{1,9}){0,3})(?![\da-z])/i.exec(tag)?.[1];
  return found?.split('.').map(Number);
}

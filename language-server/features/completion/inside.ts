/**
 * Completes paths inside a stage: what its own instructions make, and what the image of its last build or of its base holds.
 * Pure but for the source that is handed in, which answers soon or not at all.
 */
import type { Dockerfile, Range, Stage } from '../../../src/lib/dockerfile/syntax.ts';
import { graphIn, imagesFor, madePaths, resolvePath, workdirAt } from '../stage-files.ts';
import type { Known } from './images.ts';
import { type Completions, itemsAt, NO_COMPLETIONS } from './items.ts';
import { type ContextEntry, pathDraft } from './paths.ts';

/** Names of `/etc/passwd` and `/etc/group`. */
export interface Accounts {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** What is known of the files of images. Answers within a blink; `pending` when it will know more. */
export interface ImageFiles {
  /** Whether `built` knows the builds; waits a blink for them. */
  listed(): Promise<boolean>;
  /** The image that the last successful build of a target of this Dockerfile made: a name or number of a stage, '' for the last. */
  built(target: string): string | undefined;
  /** What a directory (absolute) of a local image holds; undefined when it has none or is not local. */
  list(image: string, directory: string): Promise<Known<readonly ContextEntry[]>>;
  accounts(image: string): Promise<Known<Accounts>>;
}

export interface InsidePlace {
  /** What the path replaces. */
  readonly place: Range;
  /** The path up to the cursor. */
  readonly typed: string;
  /** Where the cursor is: what the stage makes behind it does not count. */
  readonly offset: number;
  /** Only directories are of use. */
  readonly directories: boolean;
  /** The directory that a path in what `--from` names counts from; default: its root. */
  readonly base?: string;
}

const LIMIT = 1000;

/** Paths in a stage of the file. Relative ones count from the working directory where that is known. */
export async function insideStage(
  file: Dockerfile,
  stage: Stage | undefined,
  place: InsidePlace,
  source: ImageFiles | undefined,
): Promise<Completions> {
  if (stage === undefined || !isPlain(place.typed)) return NO_COMPLETIONS;
  const { offset, typed } = place;
  const workdir = typed.startsWith('/') ? '/' : workdirAt(file, stage, offset);
  if (workdir === undefined) return NO_COMPLETIONS;
  const directory = resolvePath(workdir, typed.slice(0, typed.lastIndexOf('/') + 1));
  const made = childrenOf(madePaths(file, stage, offset), directory);
  const isListed = (await source?.listed()) ?? true;
  const images = imagesFor(file, stage, source);
  const held = await firstKnown(images, async (image) => source?.list(image, directory));
  return items(
    file,
    { ...place, pending: held.pending || !isListed },
    merged(made, held.value ?? []),
  );
}

/** Paths in what `--from` names: another stage, or an image; they count from its root. */
export async function insideFrom(
  file: Dockerfile,
  {
    name,
    kind,
    at,
  }: { readonly name: string; readonly kind: 'copy' | 'mount'; readonly at: Stage },
  place: InsidePlace,
  source: ImageFiles | undefined,
): Promise<Completions> {
  if (!isPlain(place.typed) || name === '') return NO_COMPLETIONS;
  const stage = graphIn(file).resolve({ kind, name, at });
  const root = resolvePath('/', place.base ?? '');
  const directory = resolvePath(root, place.typed.slice(0, place.typed.lastIndexOf('/') + 1));
  const made = stage === undefined ? new Map<string, boolean>() : madePaths(file, stage, Infinity);
  const isListed = (await source?.listed()) ?? true;
  const images =
    stage !== undefined ? imagesFor(file, stage, source) : name.includes('$') ? [] : [name];
  const held = await firstKnown(images, async (image) => source?.list(image, directory));
  const entries = merged(childrenOf(made, directory), held.value ?? []);
  return items(file, { ...place, pending: held.pending || !isListed }, entries);
}

/** The users and groups of a stage's image. */
export async function accountsOf(
  file: Dockerfile,
  stage: Stage | undefined,
  source: ImageFiles | undefined,
): Promise<Known<Accounts>> {
  const isListed = (await source?.listed()) ?? true;
  const images = stage === undefined ? [] : imagesFor(file, stage, source);
  const { value, pending } = await firstKnown(images, async (image) => source?.accounts(image));
  return { value, pending: pending || !isListed };
}

/** The path that a shell text or a list of words ends with, when it is an absolute one. */
export function pathAtEnd(text: string): string | undefined {
  return /(?:^|[\s"'=<>(:,[&|;])(\/[^\s"'=<>():,[\]{}$*?\\&|;`]*)$/.exec(text)?.[1];
}

/** Variables, patterns and quotes are not looked into. */
function isPlain(typed: string): boolean {
  return !/[$*?[\]{}"'\\]/.test(typed);
}

/** Asks one image after the other until one is known. */
async function firstKnown<T>(
  images: readonly string[],
  ask: (image: string) => Promise<Known<T> | undefined>,
): Promise<Known<T>> {
  for (const image of images) {
    const known = await ask(image);
    if (known !== undefined && (known.value !== undefined || known.pending)) return known;
  }
  return { value: undefined, pending: false };
}

function merged(
  made: ReadonlyMap<string, boolean>,
  held: readonly ContextEntry[],
): ReadonlyMap<string, boolean> {
  const all = new Map(held.map(({ name, isDirectory }) => [name, isDirectory]));
  for (const [name, isDirectory] of made) all.set(name, isDirectory || all.get(name) === true);
  return all;
}

/** What lies directly in a directory, by paths and whether they are directories. */
function childrenOf(
  paths: ReadonlyMap<string, boolean>,
  directory: string,
): ReadonlyMap<string, boolean> {
  const prefix = directory === '/' ? '/' : `${directory}/`;
  const found = new Map<string, boolean>();
  for (const [path, isDirectory] of paths) {
    if (!path.startsWith(prefix) || path === prefix) continue;
    const [name = '', ...rest] = path.slice(prefix.length).split('/');
    found.set(name, found.get(name) === true || isDirectory || rest.length > 0);
  }
  return found;
}

function items(
  file: Dockerfile,
  { place, typed, directories, pending }: InsidePlace & { readonly pending: boolean },
  entries: ReadonlyMap<string, boolean>,
): Completions {
  const slash = typed.lastIndexOf('/') + 1;
  const begun = typed.slice(slash);
  const found = [...entries]
    .filter(([name, isDirectory]) => isDirectory || !directories || name === '')
    .filter(([name]) => isWritable(name) && (!name.startsWith('.') || begun.startsWith('.')))
    .sort((a, b) => Number(b[1]) - Number(a[1]) || (a[0] < b[0] ? -1 : 1));
  const drafts = found
    .slice(0, LIMIT)
    .map(([name, isDirectory]) =>
      pathDraft(file, { place, typed }, { name, written: name, isDirectory }),
    );
  return {
    items: itemsAt(file, place, drafts),
    isIncomplete: pending || found.length > LIMIT,
  };
}

/** Names of an image are anybody's: those that would have to be quoted are left out. */
function isWritable(name: string): boolean {
  return name !== '' && !/[\s\p{Cc}\uFFFD"'`$\\*?[\]{}|&;<>()]/u.test(name);
}

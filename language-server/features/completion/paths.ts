/** Completes sources of COPY, ADD and bind mounts: what the build context holds and .dockerignore leaves in it. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import type { Dockerignore } from '../../../src/lib/dockerfile/dockerignore.ts';
import type { Dockerfile, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { type Completions, type Draft, itemsAt, NO_COMPLETIONS } from './items.ts';

export interface ContextEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** The build context of a document. Paths have slashes, count from its root, and never leave it. */
export interface ContextFiles {
  /** What a directory holds ('' for the root); empty when it cannot be read. */
  list(directory: string): Promise<readonly ContextEntry[]>;
  /** The ignore file in force. */
  ignored(): Promise<Dockerignore | undefined>;
}

export interface PathPlace {
  readonly place: Range;
  /** The path up to the cursor. */
  readonly typed: string;
  /** A word and a JSON string are patterns, a mount's source is a name; only a JSON string may hold blanks. */
  readonly form: 'word' | 'json' | 'mount';
  /** The directory that the path counts from; default: the context's root. */
  readonly base?: string;
}

const LIMIT = 1000;

/** Characters that a name cannot have, or could only have in a way that nobody reads. */
const UNWRITABLE = {
  word: /[\s\p{Cc}"'`$\\*?]/u,
  json: /[^\P{Z} ]|[\p{Cc}"'`$\\*?]/u,
  mount: /[\s\p{Cc}"'`$\\,]/u,
} as const;

export async function paths(
  file: Dockerfile,
  { place, typed, form, base = '' }: PathPlace,
  files: ContextFiles | undefined,
): Promise<Completions> {
  if (files === undefined || /[$*?[\]{}"']|:\/\//.test(typed)) return NO_COMPLETIONS;
  const slash = typed.lastIndexOf('/') + 1;
  const inner = normalise(typed.slice(0, slash));
  const directory = inner === undefined ? undefined : normalise(`${base}/${inner}`);
  if (directory === undefined) return NO_COMPLETIONS;
  const [entries, ignored] = await Promise.all([files.list(directory), files.ignored()]);
  const begun = typed.slice(slash);
  const found = entries
    .filter(({ name }) => !UNWRITABLE[form].test(name) && isShown(name, begun))
    .filter(({ name, isDirectory }) => {
      const path = directory === '' ? name : `${directory}/${name}`;
      return isDirectory ? ignored?.prunes(path) !== true : ignored?.matches(path) !== true;
    })
    .sort((a, b) => Number(b.isDirectory) - Number(a.isDirectory) || (a.name < b.name ? -1 : 1));
  const drafts = found.slice(0, LIMIT).map(({ name, isDirectory }) => {
    // A bracket begins a set of characters, of which itself may be the only one.
    const written = form === 'mount' ? name : name.replaceAll('[', '[[]');
    return pathDraft(file, { place, typed }, { name, written, isDirectory });
  });
  return { items: itemsAt(file, place, drafts), isIncomplete: found.length > LIMIT };
}

/** A directory takes the place of one part of a longer path, a file that of all of it. */
export function pathDraft(
  { text }: Dockerfile,
  { place, typed }: { readonly place: Range; readonly typed: string },
  entry: { readonly name: string; readonly written: string; readonly isDirectory: boolean },
): Draft {
  const before = typed.slice(0, typed.lastIndexOf('/') + 1);
  const { name, written, isDirectory } = entry;
  const kind = isDirectory ? CompletionItemKind.Folder : CompletionItemKind.File;
  if (!isDirectory) return { label: name, insert: before + written, kind };
  const end = text.indexOf('/', place.start + typed.length) + 1;
  const isFollowed = end > 0 && end <= place.end;
  return {
    label: `${name}/`,
    insert: `${before}${written}/`,
    kind,
    ...(isFollowed ? { place: { start: place.start, end } } : {}),
  };
}

/** Hidden files are shown once a dot is typed. */
function isShown(name: string, begun: string): boolean {
  return !name.startsWith('.') || begun.startsWith('.');
}

/** The directory from the context's root; undefined when it would leave it. */
function normalise(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

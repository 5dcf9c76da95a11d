/** Completes sources of COPY, ADD and bind mounts: what the build context holds and .dockerignore leaves in it. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import type { Dockerignore } from '../../../src/lib/dockerfile/dockerignore.ts';
import type { Dockerfile, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { type Completions, itemsAt, NO_COMPLETIONS } from './items.ts';

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

const LIMIT = 1000;

export async function paths(
  file: Dockerfile,
  { place, typed }: { readonly place: Range; readonly typed: string },
  files: ContextFiles | undefined,
): Promise<Completions> {
  if (files === undefined || /[$*?[\]{}"']|:\/\//.test(typed)) return NO_COMPLETIONS;
  const slash = typed.lastIndexOf('/') + 1;
  const directory = normalise(typed.slice(0, slash));
  if (directory === undefined) return NO_COMPLETIONS;
  const [entries, ignored] = await Promise.all([files.list(directory), files.ignored()]);
  const begun = typed.slice(slash);
  const found = entries
    .filter(({ name }) => !/[\s\p{Cc}]/u.test(name) && isShown(name, begun))
    .filter(({ name, isDirectory }) => {
      const path = directory === '' ? name : `${directory}/${name}`;
      return isDirectory ? ignored?.prunes(path) !== true : ignored?.matches(path) !== true;
    })
    .sort((a, b) => Number(b.isDirectory) - Number(a.isDirectory) || (a.name < b.name ? -1 : 1));
  const drafts = found.slice(0, LIMIT).map(({ name, isDirectory }) => ({
    label: isDirectory ? `${name}/` : name,
    insert: `${typed.slice(0, slash)}${name}${isDirectory ? '/' : ''}`,
    kind: isDirectory ? CompletionItemKind.Folder : CompletionItemKind.File,
  }));
  return { items: itemsAt(file, place, drafts), isIncomplete: found.length > LIMIT };
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

/** The files of a container, an image or a volume as one interface, however the engine gives them. Shapes, paths and limits; asks no engine. */
import type { Readable } from 'node:stream';
import type { FileEntry, FileList } from '../../lib/api/files.ts';
import { EngineError } from '../../lib/errors.ts';

export type TreeKind = 'container' | 'image' | 'volume';

export interface TreeName {
  readonly kind: TreeKind;
  /** An id of 64 digits, `sha256:…` for images, a volume's name. */
  readonly id: string;
}

export interface Signal {
  readonly signal?: AbortSignal;
}

/**
 * Paths are absolute and normal (`normalPath`). Symbolic links are followed inside the tree, but not by `stat`,
 * `rename` and `remove`. Throws EngineError: not-found, conflict (it is there already, or not empty), forbidden
 * (read-only, or not permitted), invalid (a folder where a file is needed and the other way round), not-implemented
 * (with the way out), unavailable.
 */
export interface Tree {
  stat(path: string, options?: Signal): Promise<FileEntry>;
  /** A page of a folder: `after` is `next` of the page before. */
  list(
    path: string,
    options?: { readonly after?: string; readonly limit?: number } & Signal,
  ): Promise<FileList>;
  /** A file's content. */
  read(path: string, options?: Signal): Promise<Readable>;
  /** Writes the file whole: it keeps its mode and owner, a new one gets its folder's owner. */
  write(path: string, content: WriteContent, options?: Signal): Promise<void>;
  /** Throws conflict when there is something already. */
  makeFolder(path: string, options?: Signal): Promise<void>;
  /** Replaces nothing: conflict when `to` is there. */
  rename(from: string, to: string, options?: Signal): Promise<void>;
  remove(path: string, options: { readonly recursive: boolean } & Signal): Promise<void>;
}

export interface WriteContent {
  readonly body: Readable;
  /** Bytes. */
  readonly size: number;
  /** Permission bits of a new file; 0o644 when left out. */
  readonly mode?: number;
}

/** Throws EngineError (invalid) for names that no file system holds, and for `.` and `..`. */
export function normalPath(path: string): string {
  if (path.includes('\0')) throw new EngineError('invalid', 'a path cannot hold a null character');
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.some((part) => part === '.' || part === '..'))
    throw new EngineError('invalid', `not a plain path: ${path}`);
  return `/${parts.join('/')}`;
}

export function joinPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

/** `/` for the root and what is right below it. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** `/` for the root. */
export function nameOf(path: string): string {
  return path === '/' ? '/' : path.slice(path.lastIndexOf('/') + 1);
}

/** Whether a listed name can be asked for again: names that are not UTF-8 cannot. */
export function isReachable(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0\uFFFD]/.test(name);
}

/** `container 0123456789ab`, for sentences. */
export function treeText({ kind, id }: TreeName): string {
  return `${kind} ${kind === 'volume' ? id : id.replace(/^sha256:/, '').slice(0, 12)}`;
}

/** A stream's bytes, at most `limit`; the error of a larger one is `tooLarge`'s. */
export async function collect(
  stream: Readable,
  limit: number,
  tooLarge: () => EngineError,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** Every entry of a folder, page by page. */
export async function* listAll(
  tree: Tree,
  path: string,
  options: Signal = {},
): AsyncGenerator<FileEntry, void, undefined> {
  let after: string | undefined;
  do {
    const page = await tree.list(path, {
      ...options,
      limit: 10_000,
      ...(after === undefined ? {} : { after }),
    });
    yield* page.entries;
    after = page.next ?? undefined;
  } while (after !== undefined);
}

/** The routes of single files: for people who browse and edit what is in a container, an image or a volume. */

import type { Readable } from 'node:stream';
import { FILE_HEADER } from '../../../lib/api/files.ts';
import type { FileEntry, FileList, FileTree } from '../../../lib/api/files.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { Exchange, Handlers } from '../exchange.ts';
import { sendEmpty, sendJson } from '../exchange.ts';
import { sendStream } from '../streams.ts';

/** What these routes call. Throws not-found, forbidden (read-only), conflict (it exists, it is not empty), invalid. */
export interface FileService {
  list(
    tree: FileTree,
    path: string,
    options: { after: string | undefined; limit: number | undefined },
  ): Promise<FileList>;
  stat(tree: FileTree, path: string): Promise<FileEntry>;
  read(
    tree: FileTree,
    path: string,
    options: { offset: number; length: number | undefined; signal: AbortSignal },
  ): Promise<Readable>;
  write(
    tree: FileTree,
    path: string,
    options: { content: Readable; create: boolean; overwrite: boolean; signal: AbortSignal },
  ): Promise<void>;
  mkdir(tree: FileTree, path: string, options: { parents: boolean }): Promise<void>;
  rename(tree: FileTree, path: string, options: { to: string; overwrite: boolean }): Promise<void>;
  remove(tree: FileTree, path: string, options: { recursive: boolean }): Promise<void>;
}

type Names =
  | 'pinnace.files-list'
  | 'pinnace.file-stat'
  | 'pinnace.file-read'
  | 'pinnace.file-write'
  | 'pinnace.file-mkdir'
  | 'pinnace.file-rename'
  | 'pinnace.file-delete';

export function fileRoutes(files: FileService): Pick<Handlers, Names> {
  const path = (exchange: Exchange): string => exchange.query.required('path');
  return {
    'pinnace.files-list': async (exchange) => {
      const { query } = exchange;
      const options = {
        after: query.optional('after'),
        limit: query.int('limit', { min: 1, max: 10_000 }),
      };
      sendJson(exchange, await files.list(treeOf(exchange), path(exchange), options));
    },
    'pinnace.file-stat': async (exchange) => {
      const entry = await files.stat(treeOf(exchange), path(exchange));
      exchange.response.setHeader(FILE_HEADER, encode(entry));
      sendEmpty(exchange, 200);
    },
    'pinnace.file-read': async (exchange) => {
      const { query, signal } = exchange;
      const content = await files.read(treeOf(exchange), path(exchange), {
        offset: query.int('offset', { min: 0 }) ?? 0,
        length: query.int('length', { min: 0 }),
        signal,
      });
      await sendStream(exchange, content, { 'Content-Type': 'application/octet-stream' });
    },
    'pinnace.file-write': async (exchange) => {
      const { query, body, signal } = exchange;
      await files.write(treeOf(exchange), path(exchange), {
        content: body,
        create: query.bool('create', 'true'),
        overwrite: query.bool('overwrite', 'true'),
        signal,
      });
      sendEmpty(exchange);
    },
    'pinnace.file-mkdir': async (exchange) => {
      const options = { parents: exchange.query.bool('parents') };
      await files.mkdir(treeOf(exchange), path(exchange), options);
      sendEmpty(exchange, 201);
    },
    'pinnace.file-rename': async (exchange) => {
      const { query } = exchange;
      const options = { to: query.required('to'), overwrite: query.bool('overwrite') };
      await files.rename(treeOf(exchange), path(exchange), options);
      sendEmpty(exchange);
    },
    'pinnace.file-delete': async (exchange) => {
      const options = { recursive: exchange.query.bool('recursive') };
      await files.remove(treeOf(exchange), path(exchange), options);
      sendEmpty(exchange);
    },
  };
}

function treeOf({ query }: Exchange): FileTree {
  const [container, image, volume] = ['container', 'image', 'volume'].map((name) =>
    query.optional(name),
  );
  const named = [container, image, volume].filter((value) => value !== undefined);
  if (named.length === 1) {
    if (container !== undefined) return { container };
    if (image !== undefined) return { image };
    if (volume !== undefined) return { volume };
  }
  throw new EngineError(
    'invalid',
    'exactly one of the query parameters container, image and volume must be given',
  );
}

function encode(entry: FileEntry): string {
  return Buffer.from(JSON.stringify(entry)).toString('base64');
}

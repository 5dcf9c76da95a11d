/** Files through the routes of our own engine, `/pinnace/files`: containers in every state, images, volumes. */
import type { Readable } from 'node:stream';
import { FILE_HEADER, type FileEntry, type FileList } from '../../lib/api/files.ts';
import { EngineError } from '../../lib/errors.ts';
import { withSignal } from '../api/containers.ts';
import type { Transport } from '../api/transport.ts';
import type { Signal, Tree, TreeName, WriteContent } from './tree.ts';

export class PinnaceTree implements Tree {
  private readonly transport: Transport;
  private readonly where: Readonly<Record<string, string>>;

  constructor(transport: Transport, { kind, id }: TreeName) {
    this.transport = transport;
    this.where = { [kind]: id };
  }

  async stat(path: string, { signal }: Signal = {}): Promise<FileEntry> {
    const answer = await this.transport.open('pinnace.file-stat', {
      query: { ...this.where, path },
      ...withSignal(signal),
    });
    answer.resume();
    return entryOf(answer.headers[FILE_HEADER.toLowerCase()]);
  }

  list(
    path: string,
    options: { readonly after?: string; readonly limit?: number } & Signal = {},
  ): Promise<FileList> {
    const { signal, after, limit } = options;
    return this.transport.json('pinnace.files-list', {
      query: { ...this.where, path, after, limit },
      ...withSignal(signal),
    });
  }

  read(path: string, { signal }: Signal = {}): Promise<Readable> {
    return this.transport.open('pinnace.file-read', {
      query: { ...this.where, path },
      ...withSignal(signal),
    });
  }

  async write(path: string, { body, size }: WriteContent, { signal }: Signal = {}): Promise<void> {
    await this.transport.send('pinnace.file-write', {
      query: { ...this.where, path },
      headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': String(size) },
      body,
      ...withSignal(signal),
    });
  }

  async makeFolder(path: string, { signal }: Signal = {}): Promise<void> {
    const query = { ...this.where, path };
    await this.transport.send('pinnace.file-mkdir', { query, ...withSignal(signal) });
  }

  async rename(from: string, to: string, { signal }: Signal = {}): Promise<void> {
    const query = { ...this.where, path: from, to };
    await this.transport.send('pinnace.file-rename', { query, ...withSignal(signal) });
  }

  async remove(path: string, options: { readonly recursive: boolean } & Signal): Promise<void> {
    const query = { ...this.where, path, recursive: options.recursive };
    await this.transport.send('pinnace.file-delete', { query, ...withSignal(options.signal) });
  }
}

function entryOf(header: string | string[] | undefined): FileEntry {
  if (typeof header !== 'string')
    throw new EngineError('internal', `the engine sent no ${FILE_HEADER} header`);
  return JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as FileEntry;
}

/**
 * Reads what an image holds out of the archive that any engine saves: every layer's entries, not their contents. One pass
 * over the stream, nothing on the disk. An archive names its layers only in its manifest, which may stand at its end, so
 * each member that begins as a tar (or a compressed one) is read as a layer, and the manifest then says which are.
 */

import { createHash } from 'node:crypto';
import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { ImageConfig } from '../../lib/image/config.ts';
import type { EntryType, ImageContents, LayerEntry } from '../../lib/image/contents.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { entries, type Header } from './tar.ts';

/** Entries of all layers together. */
const ENTRY_LIMIT = 2_000_000;
/** Bytes of a manifest or a configuration. */
const DOCUMENT_LIMIT = 16 * 1024 * 1024;

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** Contents are told apart by their digests, not only by their sizes. */
  readonly digests: boolean;
  readonly onBytes?: (bytes: number) => void;
}

/** Throws EngineError: not-found, cancelled, invalid for an archive that is none of an image. */
export async function readImage(
  client: Client,
  reference: string,
  options: ReadOptions,
): Promise<ImageContents> {
  const archive = await client.images.save([reference], { signal: options.signal });
  if (options.onBytes !== undefined)
    archive.on('data', (chunk: Buffer) => options.onBytes?.(chunk.length));
  try {
    return await readArchive(archive, options);
  } catch (cause) {
    archive.destroy();
    if (options.signal.aborted)
      throw new EngineError('cancelled', `reading ${reference} was cancelled`, { cause });
    throw cause;
  }
}

/** A `docker save` archive of one image. */
export async function readArchive(
  archive: Readable,
  options: Pick<ReadOptions, 'digests'>,
): Promise<ImageContents> {
  const documents = new Map<string, string>();
  const layers = new Map<string, readonly LayerEntry[]>();
  const links = new Map<string, string>();
  const room = { left: ENTRY_LIMIT };
  for await (const { header, content } of entries(archive)) {
    const name = plain(header.name);
    // Old Docker writes a layer that comes twice as a link to the first.
    if (header.type === 'symlink' || header.type === 'link')
      links.set(name, resolve(name, header.linkname, header.type));
    if (header.type !== 'file') continue;
    const { head, whole } = await peek(content);
    if (isText(head)) {
      if (header.size > DOCUMENT_LIMIT)
        throw new EngineError('invalid', `the archive's ${name} is too large for a document`);
      documents.set(name, await text(whole));
    } else {
      const found = await layerOf(whole, head, { ...options, room });
      if (found !== undefined) layers.set(name, found);
    }
  }
  return assemble(documents, (name) => layers.get(name) ?? layers.get(links.get(name) ?? ''));
}

interface Manifest {
  readonly Config: string;
  readonly Layers: readonly string[] | null;
}

function assemble(
  documents: ReadonlyMap<string, string>,
  layerNamed: (name: string) => readonly LayerEntry[] | undefined,
): ImageContents {
  const list = parsed(documents.get('manifest.json'), 'manifest.json');
  const [manifest] = Array.isArray(list) ? (list as readonly Manifest[]) : [];
  if (manifest === undefined)
    throw new EngineError('invalid', "the engine's archive names no image");
  const config = parsed(documents.get(plain(manifest.Config)), manifest.Config) as ImageConfig;
  const ids = (config.rootfs as ImageConfig['rootfs'] | undefined)?.diff_ids ?? [];
  const layers = (manifest.Layers ?? []).map((name, index) => {
    const found = layerNamed(plain(name));
    if (found === undefined)
      throw new EngineError('invalid', `the engine's archive has no layer ${name}`);
    return { diffId: ids[index] ?? '', entries: found };
  });
  return { config, layers };
}

function parsed(document: string | undefined, name: string): unknown {
  if (document === undefined)
    throw new EngineError('invalid', `the engine's archive has no ${name}`);
  try {
    return JSON.parse(document);
  } catch (cause) {
    throw new EngineError('invalid', `the engine's ${name} is not JSON`, { cause });
  }
}

function plain(name: string): string {
  return name.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
}

function resolve(name: string, target: string, type: 'symlink' | 'link'): string {
  if (type === 'link') return plain(target);
  const parts = name.split('/').slice(0, -1);
  for (const part of target.split('/'))
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  return parts.join('/');
}

/** The first bytes, and all of the content with them. */
async function peek(
  content: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Buffer; readonly whole: AsyncIterable<Buffer> }> {
  const iterator = content[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < 512) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer, void, undefined> {
    if (head.length > 0) yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
      yield Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
  }
  return { head, whole: whole() };
}

function isText(head: Buffer): boolean {
  if (head.length < 4) return true;
  return !isTar(head) && /^\s*[[{\w.]/.test(head.toString('latin1', 0, 16));
}

/** `ustar` stands at its place in every tar that tools write; old ones are only known by what they lack. */
function isTar(head: Buffer): boolean {
  return head.length === 0 || head.toString('latin1', 257, 262) === 'ustar' || head[0] === 0;
}

interface LayerReading {
  readonly digests: boolean;
  readonly room: { left: number };
}

/** Undefined for what is no tar. */
async function layerOf(
  content: AsyncIterable<Buffer>,
  head: Buffer,
  reading: LayerReading,
): Promise<LayerEntry[] | undefined> {
  const source = Readable.from(content, { objectMode: false });
  if (head[0] === 0x1f && head[1] === 0x8b) return read(through(source, createGunzip()), reading);
  if (head.readUInt32LE(0) === 0xfd2fb528)
    return read(through(source, createZstdDecompress()), reading);
  if (isTar(head)) return read(source, reading);
  source.destroy();
  return undefined;
}

function through(source: Readable, unpacked: Transform): Readable {
  // A broken source breaks the reader of what is unpacked, who tells.
  return pipeline(source, unpacked, () => undefined);
}

async function read(tar: Readable, { digests, room }: LayerReading): Promise<LayerEntry[]> {
  const found: LayerEntry[] = [];
  for await (const { header, content } of entries(tar)) {
    room.left -= 1;
    if (room.left < 0)
      throw new EngineError('invalid', 'the image has more than two million files');
    const digest =
      digests && header.type === 'file' && header.size > 0 ? await digestOf(content) : undefined;
    found.push(entryOf(header, digest));
  }
  return found;
}

const TYPES: Readonly<Record<string, EntryType>> = {
  file: 'file',
  'contiguous-file': 'file',
  directory: 'directory',
  symlink: 'symlink',
  link: 'link',
};

function entryOf(header: Header, digest: string | undefined): LayerEntry {
  const type = TYPES[header.type] ?? 'other';
  return {
    path: plain(header.name),
    type,
    size: type === 'file' ? header.size : 0,
    mode: header.mode & 0o7777,
    uid: header.uid,
    gid: header.gid,
    ...(type === 'symlink' || type === 'link' ? { target: header.linkname } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Not against anybody: only to tell one content from another. */
async function digestOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha1');
  for await (const chunk of content) hash.update(chunk);
  return hash.digest('hex');
}

async function text(content: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** The little of tar that the archive endpoints need: reading entry by entry, and an archive of one entry. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, pack, type Pack } from 'tar-stream';

export type { Header } from 'tar-stream';

/** Entries in their order, their content passed over; ending the loop early destroys the stream. */
export async function* headers(tar: Readable): AsyncGenerator<Header, void, undefined> {
  for await (const { header } of entries(tar)) yield header;
}

export interface Entry {
  readonly header: Header;
  readonly content: AsyncIterable<Uint8Array>;
}

/** Entries with their content, which is passed over when it is not read. */
export async function* entries(tar: Readable): AsyncGenerator<Entry, void, undefined> {
  const reader = extract();
  let broken: Error | undefined;
  const fed = feed(tar, reader).catch((error: unknown) => {
    broken = error instanceof Error ? error : new Error(String(error));
    reader.destroy();
  });
  try {
    for await (const entry of reader) {
      yield { header: entry.header, content: chunksOf(entry) };
      entry.resume();
    }
  } catch (error) {
    throw broken ?? error;
  } finally {
    tar.destroy();
    reader.destroy();
  }
  await fed;
  if (broken !== undefined) throw broken;
}

async function feed(tar: Readable, reader: ReturnType<typeof extract>): Promise<void> {
  for await (const chunk of tar as AsyncIterable<Buffer>) {
    if (!reader.write(chunk)) await drained(reader);
    if (reader.destroyed) return;
  }
  reader.end(undefined);
}

function drained(reader: ReturnType<typeof extract>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      reader.off('drain', done);
      reader.off('close', done);
      resolve();
    };
    reader.once('drain', done);
    reader.once('close', done);
  });
}

async function* chunksOf(source: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of source) if (chunk instanceof Uint8Array) yield chunk;
}

export type NewHeader = Partial<Header> & Pick<Header, 'name'>;

/** An archive of one entry; `content` is what its header's size says. */
export function archiveOf(header: NewHeader, content?: Readable): Readable {
  const archive = pack();
  if (content === undefined) {
    archive.entry(header);
    archive.finalize();
  } else void fill(archive, header, content);
  return Readable.from(archive as AsyncIterable<Uint8Array>, { objectMode: false });
}

async function fill(archive: Pack, header: NewHeader, content: Readable): Promise<void> {
  try {
    const entry = archive.entry(header, () => undefined);
    await pipeline(content, async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source)
        if (!entry.write(chunk))
          await new Promise((resolve) => entry.once('drain', () => resolve(undefined)));
    });
    entry.end(undefined);
    archive.finalize();
  } catch (error) {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Archives that are small to send and enormous to read, made piece by piece. It never unpacks anything. */

import { once } from 'node:events';
import { createGzip, constants } from 'node:zlib';
import { tarEntry } from './tar.ts';

const BLOCK = 512;
const PIECE = 4096;
const END = Buffer.alloc(2 * BLOCK);

/** Everything that the generator gives, as one gzip. */
export async function gzipOf(pieces: Iterable<Buffer>): Promise<Buffer> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const parts: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => parts.push(chunk));
  const ended = once(gzip, 'end');
  for (const piece of pieces) if (!gzip.write(piece)) await once(gzip, 'drain');
  gzip.end();
  await ended;
  return Buffer.concat(parts);
}

/** The same entry, with its headers, so many times, and the end of an archive. */
export function* repeated(entry: Buffer, count: number): Generator<Buffer> {
  const many = Buffer.alloc(entry.length * PIECE, entry);
  for (let left = count; left > 0; left -= PIECE)
    yield left >= PIECE ? many : many.subarray(0, left * entry.length);
  yield END;
}

/** So many empty files in one folder, each with a name of its own, and the end of an archive. */
export function* manyFiles(count: number): Generator<Buffer> {
  const model = tarEntry({ name: 'd/00000000' });
  const digits = 'd/'.length;
  const sum = model.reduce((total, byte) => total + byte, 0) - sumOfField(model) + 8 * 0x20;
  const zeros = 8 * 0x30;
  for (let at = 0; at < count; at += PIECE) {
    const piece = Buffer.alloc(Math.min(PIECE, count - at) * BLOCK, model);
    for (let index = 0; index * BLOCK < piece.length; index++) {
      const name = String(at + index).padStart(8, '0');
      piece.write(name, index * BLOCK + digits, 'latin1');
      let own = sum - zeros;
      for (let place = 0; place < name.length; place++) own += name.charCodeAt(place);
      piece.write(own.toString(8).padStart(7, '0'), index * BLOCK + 148, 'latin1');
    }
    yield piece;
  }
  yield END;
}

function sumOfField(header: Buffer): number {
  return header.subarray(148, 156).reduce((total, byte) => total + byte, 0);
}

/** One file of so many zeros between other pieces. */
export function* zeros(
  name: string,
  size: number,
  before: Buffer = Buffer.alloc(0),
): Generator<Buffer> {
  yield before;
  yield tarEntry({ name, claim: size });
  const piece = Buffer.alloc(2 ** 20);
  for (let at = 0; at < size; at += piece.length) yield piece;
  yield END;
}

/** A file that claims to be enormous and holds next to nothing (GNU tar's sparse form 0.1). */
export function sparseEntry(name: string, size: number): Buffer {
  const pax = {
    'GNU.sparse.name': name,
    'GNU.sparse.size': String(size),
    'GNU.sparse.numblocks': '1',
    'GNU.sparse.map': '0,4',
  };
  return tarEntry({ name: 'GNUSparseFile.0/file', content: 'data', pax });
}

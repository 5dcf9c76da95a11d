/** Owns the gzip form of layers, which registries want: made once for each layer however many ask, and the same bytes every time. */

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Digest } from '../../lib/image/config.ts';
import type { Snapshot } from './types.ts';

const GZIP_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

type Blob = NonNullable<Snapshot['blob']>;

export interface CompressionParts {
  /** Throws not-found. */
  readonly get: (chainId: Digest) => Snapshot;
  readonly tar: (chainId: Digest, signal: AbortSignal) => Promise<Readable>;
  /** A new file on the file system of the blobs. */
  readonly file: () => string;
  /** Takes the finished file over as the layer's blob. */
  readonly keep: (chainId: Digest, file: string, blob: Blob) => Promise<void>;
}

export class Compression {
  readonly #parts: CompressionParts;
  readonly #running = new Map<Digest, Promise<Blob>>();

  constructor(parts: CompressionParts) {
    this.#parts = parts;
  }

  of(chainId: Digest, signal: AbortSignal): Promise<Blob> {
    const { blob } = this.#parts.get(chainId);
    if (blob?.mediaType.endsWith('gzip') === true) return Promise.resolve(blob);
    const known = this.#running.get(chainId);
    // Whoever compresses it may be cancelled: then it is our turn.
    if (known !== undefined)
      return known.catch(() => {
        signal.throwIfAborted();
        return this.of(chainId, signal);
      });
    const work = this.#compress(chainId, signal).finally(() => this.#running.delete(chainId));
    this.#running.set(chainId, work);
    return work;
  }

  async #compress(chainId: Digest, signal: AbortSignal): Promise<Blob> {
    const file = this.#parts.file();
    try {
      const made = await gzipFile(await this.#parts.tar(chainId, signal), file, signal);
      const blob = { ...made, mediaType: GZIP_LAYER };
      await this.#parts.keep(chainId, file, blob);
      return blob;
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }
}

/** Compresses a layer into a new file: no name, no time, one level, so that the same tar gives the same bytes. */
async function gzipFile(
  tar: Readable,
  file: string,
  signal: AbortSignal,
): Promise<{ digest: Digest; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      hash.update(chunk);
      size += chunk.length;
      callback(null, chunk);
    },
  });
  const output = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  await pipeline(tar, createGzip({ level: 6, chunkSize: 256 * 1024 }), measure, output, { signal });
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

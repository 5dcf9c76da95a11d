/** Owns the way of a layer back to its uncompressed tar, checked against the diff id while it streams. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { PassThrough, Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { EngineError } from '../../lib/errors.ts';
import type { BlobStore, LayerVerbs, Snapshot } from './types.ts';

/** From the kept blob when there is one, else packed anew from the directory; a stream that fails at its end when the digest is wrong. */
export function layerStream(
  parts: { readonly blobs: BlobStore; readonly native: LayerVerbs },
  snapshot: Snapshot,
  signal: AbortSignal,
): Readable {
  const verify = verifier(snapshot);
  const fail = (error: unknown): void => {
    verify.destroy(error instanceof Error ? error : new Error(String(error)));
  };
  const { blob } = snapshot;
  if (blob === null) {
    const request = { dir: snapshot.dir, out: null, compress: 'none', sourceDateEpoch: null };
    const { output, done } = parts.native.stream(['layer', 'diff', '--to-stdout'], request, {
      signal,
    });
    done.catch(fail);
    pipeline(output, verify, { signal }).catch(fail);
    return verify;
  }
  const source = createReadStream(parts.blobs.path(blob.digest), { highWaterMark: 256 * 1024 });
  pipeline(source, decompressor(blob.mediaType), verify, { signal }).catch(fail);
  return verify;
}

function decompressor(mediaType: string): NodeJS.ReadWriteStream {
  if (mediaType.endsWith('gzip')) return createGunzip();
  if (mediaType.endsWith('zstd')) return createZstdDecompress();
  return new PassThrough();
}

/** Passes a layer's tar through and fails at its end when it is not the one that the snapshot was made from. */
function verifier(snapshot: Snapshot): Transform {
  const hash = createHash('sha256');
  return new Transform({
    highWaterMark: 256 * 1024,
    transform(chunk: Buffer, _encoding, callback) {
      hash.update(chunk);
      callback(null, chunk);
    },
    flush(callback) {
      const digest = `sha256:${hash.digest('hex')}`;
      if (digest === snapshot.diffId) callback();
      else
        callback(
          new EngineError(
            'internal',
            `the layer ${snapshot.diffId} is damaged on the disk (it reads as ${digest}): pull, load or build its image again`,
          ),
        );
    },
  });
}

/**
 * Owns the blobs in `content/blobs/sha256` (an OCI image layout). A blob appears whole and verified under its
 * digest or not at all: temporary file, fsync, rename, fsync of the folder.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../lib/errors.ts';
import type { Digest } from '../../lib/image/config.ts';
import { checkDigest, hexOf, isDigest } from '../../lib/image/digest.ts';
import { sha256 } from './digest.ts';
import { syncFolder } from './places.ts';
import type { BlobStore, Places } from './types.ts';

/** Opens the blob store, making the layout's folders and its marker file. */
export function openBlobs(places: Places): BlobStore {
  const dir = join(places.contentDir, 'blobs', 'sha256');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const marker = join(places.contentDir, 'oci-layout');
  if (!existsSync(marker)) writeFileSync(marker, '{"imageLayoutVersion":"1.0.0"}');
  return new FileBlobs(dir, places.tmpDir);
}

class FileBlobs implements BlobStore {
  readonly #dir: string;
  readonly #tmpDir: string;

  constructor(dir: string, tmpDir: string) {
    this.#dir = dir;
    this.#tmpDir = tmpDir;
  }

  has(digest: Digest): boolean {
    return existsSync(this.path(digest));
  }

  path(digest: Digest): string {
    return join(this.#dir, hexOf(checkDigest(digest, 'blob')));
  }

  async read(digest: Digest): Promise<Buffer> {
    const path = this.path(digest);
    let data: Buffer;
    try {
      data = await readFile(path);
    } catch (error) {
      throw new EngineError('not-found', `the blob ${digest} is not in the store`, {
        cause: error,
        path,
      });
    }
    if (sha256(data) !== digest) {
      throw new EngineError(
        'internal',
        `the blob ${digest} is damaged on the disk: remove ${path} and pull or load its image again`,
        { path },
      );
    }
    return data;
  }

  async write(data: Buffer | string): Promise<{ digest: Digest; size: number }> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const digest = sha256(bytes);
    if (!this.has(digest)) {
      const temporary = join(this.#tmpDir, `blob-${randomBytes(8).toString('hex')}`);
      try {
        const file = await open(temporary, 'wx', 0o600);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await this.#publish(temporary, digest);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    }
    return { digest, size: bytes.length };
  }

  async adopt(file: string, digest: Digest): Promise<void> {
    if (this.has(digest)) return rm(file, { force: true });
    const handle = await open(file, 'r');
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await this.#publish(file, digest);
  }

  async all(): Promise<Digest[]> {
    const names = await readdir(this.#dir);
    return names.map((name) => `sha256:${name}`).filter(isDigest);
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  async #publish(file: string, digest: Digest): Promise<void> {
    await rename(file, this.path(digest));
    await syncFolder(this.#dir);
  }
}

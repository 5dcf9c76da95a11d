/** Owns `docker import`: one image of one layer from the tar of a root file system. */

import type { Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import type { ImageConfig } from '../../lib/image/config.ts';
import { parsePlatform } from '../../lib/image/platform.ts';
import { parseReference, withDefaultTag } from '../../lib/image/reference.ts';
import { applyChanges } from './changes.ts';
import type { ImageAdmitter } from './store.ts';
import type { Image } from './types.ts';

export interface ImportRequest {
  readonly tag?: string;
  /** Dockerfile instructions, e.g. `CMD ["sh"]`. */
  readonly changes: readonly string[];
  readonly message?: string;
  readonly platform?: string;
  readonly signal: AbortSignal;
}

/** Imports a tar (gzip, zstd or plain). Throws `invalid` for a bad tag or change before anything is read. */
export async function importRoot(
  store: ImageAdmitter,
  archive: Readable,
  request: ImportRequest,
): Promise<Image> {
  const { snapshots, platform: host, emit, now } = store.parts;
  const names =
    request.tag === undefined || request.tag === ''
      ? []
      : [withDefaultTag(parseReference(request.tag))];
  if (names.some((name) => name.digest !== undefined)) {
    throw new EngineError('invalid', 'cannot import digest reference');
  }
  const platform =
    request.platform === undefined || request.platform === ''
      ? host
      : parsePlatform(request.platform, host);
  const config = applyChanges({}, request.changes);
  const lease = snapshots.lease();
  try {
    const snapshot = await snapshots.importLayer(archive, {
      parent: null,
      lease,
      signal: request.signal,
    });
    const created = new Date(now()).toISOString();
    const document: ImageConfig = {
      created,
      architecture: platform.architecture,
      os: platform.os,
      ...(platform.variant === undefined ? {} : { variant: platform.variant }),
      config,
      rootfs: { type: 'layers', diff_ids: [snapshot.diffId] },
      history: [
        {
          created,
          comment:
            request.message === undefined || request.message === ''
              ? 'Imported from -'
              : request.message,
        },
      ],
    };
    const image = await store.admit({ config: document, raw: JSON.stringify(document), names });
    emit({ action: 'import', id: image.id, attributes: { name: image.id } });
    return image;
  } catch (error) {
    lease.release();
    await store.sweep();
    throw request.signal.aborted
      ? new EngineError('cancelled', 'the import was cancelled', { cause: error })
      : error;
  } finally {
    lease.release();
  }
}

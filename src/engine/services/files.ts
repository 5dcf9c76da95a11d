/** Single files of containers, images and volumes: finds the tree that a request names; the native helper resolves the path beneath it. It opens no file itself. */

import type { Readable } from 'node:stream';
import type { FileEntry, FileList, FileTree } from '../../lib/api/files.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { FileService } from '../api/routes/files.ts';
import type { FilePlace } from '../containers/files/archive.ts';
import type { ImageStore } from '../images/types.ts';
import type { Native } from '../runtime/types.ts';
import type { SnapshotStore } from '../storage/types.ts';
import type { VolumeStore } from '../volumes/volumes.ts';

export interface FileServiceParts {
  readonly native: Native;
  readonly images: Pick<ImageStore, 'get'>;
  readonly snapshots: Pick<SnapshotStore, 'lowers' | 'lease'>;
  readonly volumes: Pick<VolumeStore, 'source'>;
  readonly containers: {
    /** Throws not-found. */
    filePlace(ref: string, path: string, options: { write: boolean }): FilePlace;
  };
}

export function createFileService(parts: FileServiceParts): FileService {
  const { native } = parts;
  const looking = { write: false };
  const changing = { write: true };
  const at = (tree: FileTree, path: string, options: { write: boolean }): FilePlace => {
    const place = placeOf(tree, checkPath(path), { parts, ...options });
    if (options.write && place.readOnly !== undefined)
      throw new EngineError('forbidden', place.readOnly, { path });
    return place;
  };
  const change = (place: FilePlace, verb: string, more: object): Promise<void> =>
    named(place, () =>
      place.turn(async () => {
        await native.call(['files', verb], { root: place.root, path: place.path, ...more });
      }),
    );
  return {
    list: (tree, path, { after, limit }) => {
      const place = at(tree, path, looking);
      const request = { root: place.root, path: place.path, after, limit };
      return named(place, () => native.call<FileList>(['files', 'list'], request));
    },
    stat: (tree, path) => statOf(at(tree, path, looking), native),
    async read(tree, path, { offset, length, signal }) {
      const place = at(tree, path, looking);
      const { root, path: inside } = place;
      const { output, done } = native.stream(
        ['files', 'read'],
        { root, path: inside, offset, length },
        { signal },
      );
      // The first bytes, or the end, decide whether there is an answer or an error.
      await named(place, () => firstBytes(output, done));
      return output;
    },
    write: (tree, path, { content, create, overwrite, signal }) => {
      const place = at(tree, path, changing);
      const request = { root: place.root, path: place.path, create, overwrite };
      return named(place, () =>
        place.turn(async () => {
          await native.call(['files', 'write'], request, { input: content, signal });
        }),
      );
    },
    mkdir: (tree, path, { parents }) => change(at(tree, path, changing), 'mkdir', { parents }),
    async rename(tree, path, { to, overwrite }) {
      const from = at(tree, path, changing);
      const target = at(tree, to, changing);
      if (JSON.stringify(from.root) !== JSON.stringify(target.root)) {
        throw new EngineError(
          'invalid',
          `${path} and ${to} are on different mounts: copy it there and delete the old one`,
        );
      }
      await change(from, 'rename', { to: target.path, overwrite });
    },
    remove: (tree, path, { recursive }) =>
      change(at(tree, path, changing), 'delete', { recursive }),
  };
}

function statOf(place: FilePlace, native: Native): Promise<FileEntry> {
  const { root, path } = place;
  return named(place, () => native.call<FileEntry>(['files', 'stat'], { root, path }));
}

function firstBytes(output: Readable, done: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      output.off('readable', settle);
      resolve();
    };
    output.once('readable', settle);
    done.then(settle, reject);
    output.once('error', reject);
  });
}

/** What is missing or in the way is told in the names that the request used. */
async function named<T>(place: FilePlace, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof EngineError && kindOf(error) === 'not-found') {
      throw new EngineError('not-found', `${place.shown}: no such file or folder`, {
        cause: error,
      });
    }
    throw error;
  }
}

function placeOf(
  tree: FileTree,
  path: string,
  { parts, write }: { parts: FileServiceParts; write: boolean },
): FilePlace {
  const turn: FilePlace['turn'] = (task) => task();
  if ('container' in tree) return parts.containers.filePlace(tree.container, path, { write });
  if ('image' in tree) {
    const image = parts.images.get(tree.image);
    return {
      root: { lowers: parts.snapshots.lowers(image.chainId) },
      path,
      shown: `${path} in the image ${tree.image}`,
      readOnly: `an image never changes: run a container of ${tree.image} to change files`,
      turn,
    };
  }
  const source = parts.volumes.source(tree.volume);
  if (source.kind === 'tmpfs') {
    throw new EngineError(
      'conflict',
      `the volume ${tree.volume} lives in memory while a container uses it: open it in the container`,
    );
  }
  const shown = `${path} in the volume ${tree.volume}`;
  return { root: { dir: source.path }, path, shown, readOnly: undefined, turn };
}

function checkPath(path: string): string {
  if (path.startsWith('/') && !path.includes('\0') && path.length <= 4096) return path;
  throw new EngineError('invalid', 'path: must be an absolute path of at most 4096 bytes');
}

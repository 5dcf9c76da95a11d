/**
 * The folders of `RUN --mount=type=cache`: one for each id below the data root, kept between builds. Ids are strangers'
 * words and only ever become folder names as hashes. Owns who uses a folder at the same time.
 */
import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { Native } from '../runtime/types.ts';
import type { RunMount } from './plan/graph.ts';

export type CacheMount = Extract<RunMount, { type: 'cache' }>;

export interface HeldMount {
  readonly dir: string;
  readonly release: () => void;
}

export interface CacheMounts {
  take(mount: CacheMount, signal: AbortSignal): Promise<HeldMount>;
  /** Removes the folders that no step uses; resolves to the bytes freed. */
  prune(): Promise<number>;
}

export function createCacheMounts(parts: { root: string; native: Native }): CacheMounts {
  const { root, native } = parts;
  const users = new Map<string, number>();
  const locks = new Map<string, Promise<void>>();

  const hold = async (name: string, mount: CacheMount, unlock: () => void): Promise<HeldMount> => {
    users.set(name, (users.get(name) ?? 0) + 1);
    const release = (): void => {
      const left = (users.get(name) ?? 1) - 1;
      if (left === 0) users.delete(name);
      else users.set(name, left);
      unlock();
    };
    try {
      const dir = join(root, name);
      await makeFolder(dir, mount);
      return { dir, release };
    } catch (error) {
      release();
      throw error;
    }
  };

  return {
    async take(mount, signal) {
      const name = createHash('sha256').update(mount.id).digest('hex');
      if (mount.sharing === 'shared') return hold(name, mount, () => undefined);
      if (mount.sharing === 'private') {
        let at = 0;
        while (users.has(privateName(name, at))) at++;
        return hold(privateName(name, at), mount, () => undefined);
      }
      const before = locks.get(name) ?? Promise.resolve();
      let unlock = (): void => undefined;
      const mine = new Promise<void>((resolve) => (unlock = resolve));
      locks.set(
        name,
        before.then(() => mine),
      );
      await before;
      if (signal.aborted) unlock();
      signal.throwIfAborted();
      return hold(name, mount, unlock);
    },
    async prune() {
      const names = await readdir(root).catch(() => []);
      const idle = names.filter((name) => !users.has(name)).map((name) => join(root, name));
      if (idle.length === 0) return 0;
      const { bytes } = await native.call<{ bytes: number[] }>(['layer', 'usage'], { dirs: idle });
      await native.call(['layer', 'remove'], { dirs: idle });
      return bytes.reduce((sum, size) => sum + size, 0);
    },
  };
}

function privateName(name: string, at: number): string {
  return at === 0 ? name : `${name}-${String(at)}`;
}

/** mode, uid and gid count when the folder is new, as BuildKit has it. */
async function makeFolder(dir: string, mount: CacheMount): Promise<void> {
  const made = await mkdir(dir, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  await chmod(dir, mount.mode);
  if (mount.uid === 0 && mount.gid === 0) return;
  try {
    await chown(dir, mount.uid, mount.gid);
  } catch (error) {
    const owner = `${String(mount.uid)}:${String(mount.gid)}`;
    throw new EngineError(
      'invalid',
      `the cache mount at ${mount.target} cannot belong to ${owner} here: ${messageOf(error)}`,
      { cause: error, path: dir },
    );
  }
}

/** Small file systems for engines of the tests, so that a disk can be full or read-only without harm to the machine's own. */

import { execFileSync } from 'node:child_process';
import type { Prepare } from './engine.ts';

/** An engine's home upon a file system of its own, in memory: so many bytes and files at most. */
export function smallDisk(size: { readonly bytes: number; readonly files: number }): Prepare {
  return (user, home) => {
    const id = String(user?.uid ?? 0);
    const options = `size=${String(size.bytes)},nr_inodes=${String(size.files)},mode=0700,uid=${id},gid=${id}`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'pinnace-test', home]);
    return () => {
      // A read-only disk cannot be purged by the engine, and whoever looked last may still leave.
      execFileSync('umount', ['-l', home]);
    };
  };
}

/** Makes the file system at a folder read-only, or writable again. */
export function remount(home: string, access: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${access}`, home]);
}

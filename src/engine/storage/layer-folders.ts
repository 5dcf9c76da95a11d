/** The folders of layers: their names, their tops, and whether they are there. It writes nothing below a top. */

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, stat } from 'node:fs/promises';

/** A layer's top is the root directory of containers: 0755 whatever the umask. */
export async function makeTop(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o755);
}

/** A name that no other layer has. */
export function newId(): string {
  return randomBytes(12).toString('hex');
}

export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Puts a new text in the place of a file: whole or not at all, whatever ends the process. It never writes into the file itself. */

import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EngineError, messageOf } from '../../lib/errors.ts';

/**
 * Writes beside the file (a link's target) and renames, with its mode and owner. `before` is what was read of it: what
 * somebody has changed since is left alone, and so is what may not be written.
 */
export function replaceFile(path: string, before: string, text: string): void {
  let draft: string | undefined;
  try {
    const target = realpathSync(path);
    accessSync(target, constants.W_OK);
    const now = readFileSync(target);
    // Somebody has done the same at the same time.
    if (now.equals(Buffer.from(text, 'utf8'))) return;
    if (!now.equals(Buffer.from(before, 'utf8')))
      throw new EngineError('conflict', 'it is not UTF-8, or was changed meanwhile', { path });
    const suffix = randomBytes(6).toString('hex');
    draft = join(dirname(target), `.${basename(target).slice(0, 200)}.${suffix}.tmp`);
    writeLike(target, draft, text);
    renameSync(draft, target);
  } catch (cause) {
    if (draft !== undefined) rmSync(draft, { force: true });
    const { code } = cause as NodeJS.ErrnoException;
    const kind =
      cause instanceof EngineError
        ? cause.kind
        : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
          ? 'forbidden'
          : 'internal';
    throw new EngineError(kind, `${path} is left as it is: ${messageOf(cause)}`, { path, cause });
  }
}

function writeLike(target: string, draft: string, text: string): void {
  const { mode, uid, gid } = statSync(target);
  const fd = openSync(draft, 'wx', 0o600);
  try {
    writeFileSync(fd, text);
    // Only root can give a file away, and only root would take it; giving it away takes bits of its mode.
    if (process.getuid?.() === 0) fchownSync(fd, uid, gid);
    fchmodSync(fd, mode & 0o7777);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

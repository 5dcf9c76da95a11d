/** A folder's listing by `find` and `stat`, as GNU, busybox and toybox have them: the command, and the reading of its output. Pure. */
import type { FileEntry, FileType } from '../../lib/api/files.ts';

/**
 * `mark` is a word that no name holds: it parts the records, since names may hold line breaks.
 * With followed links only the links are listed, as what they lead to.
 */
export function listCommand(
  path: string,
  mark: string,
  { links }: { readonly links: 'shown' | 'followed' } = { links: 'shown' },
): string[] {
  const stat = ['-exec', 'stat', ...(links === 'followed' ? ['-L'] : [])];
  const only = links === 'followed' ? ['-type', 'l'] : [];
  // With the slash a link to a folder is followed.
  const folder = path === '/' ? '/' : `${path}/`;
  const range = ['-mindepth', '1', '-maxdepth', '1'];
  return ['find', folder, ...range, ...only, ...stat, '-c', `${mark}%f %s %Y %u %g %n`, '{}', '+'];
}

export function listingOf(output: string, mark: string): FileEntry[] {
  return output.split(mark).flatMap((record) => {
    const found = /^([0-9a-f]+) (\d+) (-?\d+) (\d+) (\d+) ([^]*)\n$/.exec(record);
    if (found === null) return [];
    const [, hex = '0', size, seconds, uid, gid, path = ''] = found;
    const bits = Number.parseInt(hex, 16);
    return [
      {
        name: path.slice(path.lastIndexOf('/') + 1),
        type: typeOfBits(bits),
        size: Number(size),
        mode: bits & 0o7777,
        mtime: Number(seconds) * 1000,
        uid: Number(uid),
        gid: Number(gid),
      },
    ];
  });
}

const TYPES: Readonly<Record<number, FileType>> = {
  0o04: 'directory',
  0o12: 'symlink',
  0o01: 'fifo',
  0o14: 'socket',
  0o02: 'character',
  0o06: 'block',
};

/** Of `st_mode` (inode(7)). */
function typeOfBits(bits: number): FileType {
  return TYPES[bits >> 12] ?? 'file';
}

/** Of Go's os.FileMode, whose type bits stand at the top. */
export function typeOfGoMode(mode: number): FileType {
  const has = (bit: number): boolean => Math.floor(mode / 2 ** bit) % 2 === 1;
  if (has(31)) return 'directory';
  if (has(27)) return 'symlink';
  if (has(21)) return 'character';
  if (has(26)) return 'block';
  if (has(25)) return 'fifo';
  if (has(24)) return 'socket';
  return 'file';
}

/** A folder's listing by `find` and `stat`, as GNU, busybox and toybox have them: the command, and the reading of its output. Pure. */
import type { FileEntry, FileType } from '../../lib/api/files.ts';

/**
 * `mark` is a word that no name holds: it parts the records, since names may hold line breaks. A link is listed as itself
 * and, where it leads somewhere, a second time as what it leads to. `stat` is the program and its first words.
 */
export function listCommand(
  path: string,
  mark: string,
  { stat }: { readonly stat: readonly string[] } = { stat: ['stat'] },
): string[] {
  // With the slash a link to a folder is followed.
  const folder = path === '/' ? '/' : `${path}/`;
  const range = ['-mindepth', '1', '-maxdepth', '1'];
  const all = ['-exec', ...stat, '-c', `${mark}%f %s %Y %u %g %n`, '{}', '+'];
  const followed = ['-exec', ...stat, '-L', '-c', `${mark}L%f %s %Y %u %g %n`, '{}', '+'];
  return ['find', folder, ...range, ...all, '-type', 'l', ...followed];
}

export function listingOf(output: string, mark: string): FileEntry[] {
  const entries: FileEntry[] = [];
  const targets = new Map<string, FileType>();
  for (const record of output.split(mark)) {
    const found = /^(L?)([0-9a-f]+) (\d+) (-?\d+) (\d+) (\d+) ([^]*)\n$/.exec(record);
    if (found === null) continue;
    const [, followed, hex = '0', size, seconds, uid, gid, path = ''] = found;
    const bits = Number.parseInt(hex, 16);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (followed === 'L') targets.set(name, typeOfBits(bits));
    else
      entries.push({
        name,
        type: typeOfBits(bits),
        size: Number(size),
        mode: bits & 0o7777,
        mtime: Number(seconds) * 1000,
        uid: Number(uid),
        gid: Number(gid),
      });
  }
  return entries.map((entry) => {
    const target = entry.type === 'symlink' ? targets.get(entry.name) : undefined;
    return target === undefined ? entry : { ...entry, targetType: target };
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

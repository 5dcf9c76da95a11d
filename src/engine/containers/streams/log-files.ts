/** Reads a container's json-file log and its rotated predecessors, forwards or from the end, without holding a file in memory. It knows bytes and lines, not options. */

import { open, readdir, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { StreamName } from './frames.ts';

const BLOCK = 64 << 10;
/** Longer than any line that the shim writes (16 KiB of data, escaped). */
const MAX_LINE = 1 << 20;

export interface LogEntry {
  readonly log: string;
  readonly stream: StreamName;
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
}

/** Undefined for a line that is torn or not ours. */
export function parseEntry(line: string): LogEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    const { log, stream, time } = value as Record<string, unknown>;
    if (typeof log !== 'string' || typeof time !== 'string') return undefined;
    return { log, stream: stream === 'stderr' ? 'stderr' : 'stdout', time };
  } catch {
    return undefined;
  }
}

/** Existing files, oldest first: `path.2`, `path.1`, `path`. */
async function logFiles(path: string): Promise<string[]> {
  const name = basename(path);
  const found: string[] = await readdir(dirname(path)).catch(() => []);
  const rotated = found
    .filter((file) => file.startsWith(`${name}.`) && /^[0-9]+$/.test(file.slice(name.length + 1)))
    .map((file) => Number(file.slice(name.length + 1)))
    .sort((a, b) => b - a)
    .map((number) => join(dirname(path), `${name}.${String(number)}`));
  return found.includes(name) ? [...rotated, path] : rotated;
}

/** Where to begin reading so that `lines` complete lines remain, over all files. */
async function tailStart(
  files: readonly string[],
  lines: number,
): Promise<{ index: number; offset: number }> {
  let missing = lines;
  for (let index = files.length - 1; index >= 0; index--) {
    const file = await open(files[index] ?? '', 'r').catch(() => undefined);
    if (file === undefined) return { index: index + 1, offset: 0 };
    try {
      const found = await countBack(file, missing);
      if (found.offset !== undefined) return { index, offset: found.offset };
      missing -= found.lines;
    } finally {
      await file.close();
    }
  }
  return { index: 0, offset: 0 };
}

async function countBack(
  file: FileHandle,
  wanted: number,
): Promise<{ lines: number; offset?: number }> {
  let end = (await file.stat()).size;
  if (wanted === 0) return { lines: 0, offset: end };
  const block = Buffer.allocUnsafe(BLOCK);
  let newlines = 0;
  while (end > 0) {
    const start = Math.max(0, end - BLOCK);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (block[at] !== 10) continue;
      // The newline that ends the last wanted line's predecessor.
      if (newlines === wanted) return { lines: newlines, offset: start + at + 1 };
      newlines++;
    }
    end = start;
  }
  return newlines === wanted ? { lines: newlines, offset: 0 } : { lines: newlines };
}

/** Reads lines of one log through its rotations: `next` gives what is there now, undefined at the end for the moment. */
export class LogCursor {
  readonly #path: string;
  #file: FileHandle | undefined;
  #inode = 0;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** Begins after all but the last `tail` lines; undefined: at the first. */
  async begin(tail: number | undefined): Promise<void> {
    const files = await logFiles(this.#path);
    if (files.length === 0) return;
    const start = tail === undefined ? { index: 0, offset: 0 } : await tailStart(files, tail);
    const path = files[Math.min(start.index, files.length - 1)];
    if (path !== undefined)
      await this.#openFile(path, start.index < files.length ? start.offset : 0);
  }

  /** The complete lines of the next block; undefined when everything there is has been read. */
  async next(): Promise<string[] | undefined> {
    for (;;) {
      if (this.#file === undefined && !(await this.#openOldest())) return undefined;
      const lines = await this.#readBlock();
      if (lines !== undefined) return lines;
      const successor = await this.#successor();
      if (successor === undefined) return undefined;
      // The writer may have added to the old file just before it was renamed.
      const last = await this.#readBlock();
      if (last !== undefined) return last;
      await this.close();
      await this.#openFile(successor, 0);
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#rest = Buffer.alloc(0);
    await file?.close();
  }

  async #openOldest(): Promise<boolean> {
    const [oldest] = await logFiles(this.#path);
    if (oldest === undefined) return false;
    await this.#openFile(oldest, 0);
    return true;
  }

  async #openFile(path: string, offset: number): Promise<void> {
    const file = await open(path, 'r').catch(() => undefined);
    if (file === undefined) return;
    this.#file = file;
    this.#inode = (await file.stat()).ino;
    this.#offset = offset;
  }

  async #readBlock(): Promise<string[] | undefined> {
    const file = this.#file;
    if (file === undefined) return undefined;
    const block = Buffer.allocUnsafe(BLOCK);
    const { bytesRead } = await file.read(block, 0, BLOCK, this.#offset);
    if (bytesRead === 0) return undefined;
    this.#offset += bytesRead;
    const data = Buffer.concat([this.#rest, block.subarray(0, bytesRead)]);
    const end = data.lastIndexOf(10);
    if (end < 0) {
      this.#rest = data.length > MAX_LINE ? Buffer.alloc(0) : data;
      return [];
    }
    this.#rest = data.subarray(end + 1);
    return data.subarray(0, end).toString('utf8').split('\n');
  }

  /** The file that follows the one being read, undefined while it is the current one. */
  async #successor(): Promise<string | undefined> {
    const files = await logFiles(this.#path);
    const inodes = await Promise.all(
      files.map(async (file) => (await stat(file).catch(() => undefined))?.ino),
    );
    const at = inodes.indexOf(this.#inode);
    return at < 0 ? files[0] : files[at + 1];
  }
}

/**
 * The questions that the search for a build context asks the disk, and a memory of the answers: a linter asks the same
 * ones for every file and version. Reads only, follows no links, and takes what cannot be read for absent.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import { EngineError } from '../../lib/errors.ts';

export interface DiskEntry {
  readonly kind: 'file' | 'folder' | 'other';
  /** Bytes. */
  readonly size: number;
  /** Another one when the file was changed. */
  readonly stamp: string;
}

export interface Disk {
  /** The names in a folder, sorted. */
  names(folder: string): readonly string[];
  /** undefined: there is nothing. */
  entry(path: string): DiskEntry | undefined;
  /** The text of a file; undefined: there is none. */
  text(path: string): string | undefined;
}

/** The disk as it is at each question. */
export const DISK: Disk = {
  names: (folder) => {
    try {
      return readdirSync(folder).sort();
    } catch {
      return [];
    }
  },
  entry: (path) => {
    try {
      const facts = lstatSync(path, { throwIfNoEntry: false });
      if (facts === undefined) return undefined;
      const { ino, size, mtimeMs } = facts;
      const kind = facts.isFile() ? 'file' : facts.isDirectory() ? 'folder' : 'other';
      return { kind, size, stamp: [ino, size, mtimeMs].join(' ') };
    } catch {
      return undefined; // The way to it is closed, or is no folder.
    }
  },
  text: (path) => {
    try {
      return readSmallFile(path);
    } catch {
      return undefined;
    }
  },
};

/** More than this is neither settings nor patterns; bytes. */
const FILE_LIMIT = 4 * 1024 * 1024;

/**
 * The text of a file, links followed. Throws what `open` throws, and invalid for what is no file or too large: a pipe
 * would be waited for, and a link to a device read without end.
 */
export function readSmallFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) throw new EngineError('invalid', `${path} is no file`, { path });
    if (facts.size > FILE_LIMIT) {
      const size = String(facts.size);
      throw new EngineError('invalid', `${path} has ${size} bytes: too large to be read`, { path });
    }
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/** Answers beyond which all are forgotten. */
const ROOM = 10_000;

/** The disk as it was when a question was first asked, for some time. */
export class RememberedDisk implements Disk {
  private readonly life: number;
  private readonly folders = new Map<string, readonly string[]>();
  private readonly entries = new Map<string, DiskEntry | undefined>();
  private born = 0;

  /** `life`: how many milliseconds an answer holds. */
  constructor({ life }: { readonly life: number }) {
    this.life = life;
  }

  forget(): void {
    this.born = performance.now();
    this.folders.clear();
    this.entries.clear();
  }

  names(folder: string): readonly string[] {
    this.age();
    const known = this.folders.get(folder) ?? DISK.names(folder);
    this.folders.set(folder, known);
    return known;
  }

  entry(path: string): DiskEntry | undefined {
    this.age();
    if (this.entries.has(path)) return this.entries.get(path);
    const found = DISK.entry(path);
    this.entries.set(path, found);
    return found;
  }

  text(path: string): string | undefined {
    return DISK.text(path);
  }

  private age(): void {
    const isFull = this.folders.size + this.entries.size > ROOM;
    if (isFull || performance.now() - this.born > this.life) this.forget();
  }
}

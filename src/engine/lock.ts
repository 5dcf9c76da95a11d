/**
 * Owns the rule of one engine to a data root: a lock that dies with its process, and the note that says who
 * holds it. Node has no flock, so the lock is SQLite's exclusive lock on a database of its own (fcntl locks of
 * this process, which the kernel drops at its end, however it ends). Nothing else may open that file.
 */

import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EngineError, messageOf } from '../lib/errors.ts';

/** Who serves a data root. */
export interface Holder {
  readonly pid: number;
  readonly runRoot: string;
  readonly socket: string;
}

export interface EngineLock {
  /** Writes the note for those who come too late. */
  announce(holder: Holder): void;
  release(): void;
}

const SQLITE_BUSY = 5;
const NOTE = 'engine.json';
/** A note is always so long and is overwritten in one call: a full disk has room for it, and nobody reads half of one. */
const NOTE_BYTES = 4096;

/** Takes the lock of both roots; undefined when another engine has one of them. Throws unavailable when it cannot be tried. */
export function takeLock(roots: {
  readonly dataRoot: string;
  readonly runRoot: string;
}): EngineLock | undefined {
  const data = lockFile(join(roots.dataRoot, 'engine.lock'));
  if (data === undefined) return undefined;
  const run =
    roots.runRoot === roots.dataRoot ? data : lockFile(join(roots.runRoot, 'engine.lock'));
  if (run === undefined) {
    data.close();
    return undefined;
  }
  const note = join(roots.dataRoot, NOTE);
  return {
    announce(holder) {
      writeNote(note, JSON.stringify(holder));
    },
    release() {
      writeNote(note, '');
      if (run !== data) run.close();
      data.close();
    },
  };
}

/** What the engine that holds a data root's lock has told of itself, if it has come that far. */
export function readHolder(dataRoot: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(join(dataRoot, NOTE), 'utf8')) as Partial<Holder>;
    const { pid, runRoot, socket } = holder;
    return pid === undefined || runRoot === undefined || socket === undefined
      ? undefined
      : { pid, runRoot, socket };
  } catch {
    return undefined;
  }
}

function writeNote(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    writeSync(file, text.padEnd(NOTE_BYTES - 1).concat('\n'), 0);
  } finally {
    closeSync(file);
  }
}

function lockFile(path: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) return undefined;
    throw new EngineError('unavailable', `the lock ${path} cannot be taken: ${messageOf(error)}`, {
      cause: error,
      path,
    });
  }
}

/** SQLITE_BUSY and its extended codes (sqlite.org/rescode.html). */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'errcode' in error &&
    typeof error.errcode === 'number' &&
    (error.errcode & 0xff) === SQLITE_BUSY
  );
}

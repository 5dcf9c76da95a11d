/**
 * Owns the one SQLite database: opening it, its schema's history, transactions, and what to do when it
 * is damaged or from a newer version. It knows no table but its own.
 */

import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { Database, Migration, Places } from './types.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const SQLITE_FULL = 13;
/** Kept free inside the database and its log, for the transactions that make room on a full disk. */
const RESERVE_BYTES = 512 * 1024;
const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens `<data-root>/state.db` and brings its schema up to date. A damaged file is moved aside (`state.db.damaged-…`)
 * and reported with `internal`; one that a newer version wrote is left as it is and reported with `conflict`.
 */
export function openDatabase(places: Places, migrations: readonly Migration[]): Database {
  const file = join(places.dataRoot, 'state.db');
  let sql: DatabaseSync | undefined;
  try {
    sql = new DatabaseSync(file);
    sql.exec(`PRAGMA busy_timeout = ${String(BUSY_TIMEOUT_MS)}`);
    sql.exec('PRAGMA journal_mode = WAL');
    sql.exec('PRAGMA synchronous = FULL');
    sql.exec('PRAGMA foreign_keys = ON');
    checkIntegrity(sql);
    const database = new SqliteDatabase(sql);
    migrate(database, migrations, file);
    reserve(database);
    return database;
  } catch (error) {
    sql?.close();
    if (error instanceof EngineError) throw error;
    if (isDamage(error)) throw setAside(file, error);
    throw new EngineError(
      'unavailable',
      `the database ${file} cannot be opened: ${messageOf(error)}`,
      {
        cause: error,
        path: file,
      },
    );
  }
}

/** Holds how deep the transactions are nested, which must equal SQLite's own state. */
class SqliteDatabase implements Database {
  readonly sql: DatabaseSync;
  #depth = 0;

  constructor(sql: DatabaseSync) {
    this.sql = sql;
  }

  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    try {
      return this.#attempt(work);
    } catch (error) {
      if (!hasCode(error, SQLITE_FULL)) throw error;
      // The log begins anew and needs no more of the disk.
      this.sql.exec('PRAGMA wal_checkpoint(RESTART)');
      return this.#attempt(work);
    }
  }

  #attempt<T>(work: () => T): T {
    this.sql.exec('BEGIN IMMEDIATE');
    this.#depth++;
    try {
      const result = work();
      if (result instanceof Promise) {
        throw new EngineError(
          'internal',
          'a transaction must not wait: its work returned a promise',
        );
      }
      this.sql.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.sql.isTransaction) this.sql.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth--;
    }
  }

  close(): void {
    if (this.sql.isOpen) this.sql.close();
  }
}

/**
 * Lets the file have free pages, and the log the size that it takes to write them: what is removed later needs no new
 * blocks (sqlite.org/wal.html: the log is overwritten, not shortened). A disk that is full already has the old reserve.
 */
function reserve(database: Database): void {
  const { sql } = database;
  try {
    sql.exec('CREATE TABLE IF NOT EXISTS reserve (bytes BLOB) STRICT');
    sql.exec('DELETE FROM reserve');
    sql.exec(`INSERT INTO reserve VALUES (zeroblob(${String(RESERVE_BYTES)}))`);
    sql.exec('DELETE FROM reserve');
    sql.exec('PRAGMA wal_checkpoint(RESTART)');
  } catch (error) {
    if (!hasCode(error, SQLITE_FULL)) throw error;
  }
}

class Damage extends Error {}

function checkIntegrity(sql: DatabaseSync): void {
  const row = sql.prepare('PRAGMA quick_check(1)').get();
  const verdict = row === undefined ? 'no answer' : String(Object.values(row)[0]);
  if (verdict !== 'ok') throw new Damage(verdict);
}

function migrate(database: Database, migrations: readonly Migration[], file: string): void {
  const { sql } = database;
  sql.exec(
    'CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied TEXT NOT NULL) STRICT',
  );
  const applied = new Set(
    sql
      .prepare('SELECT name FROM migrations')
      .all()
      .map((row) => String(row['name'])),
  );
  const known = new Set(migrations.map(({ name }) => name));
  const newer = [...applied].find((name) => !known.has(name));
  if (newer !== undefined) {
    throw new EngineError(
      'conflict',
      `the database ${file} was written by a newer Pinnace (it has the change ${newer}): install that version, or use another data root`,
      { path: file },
    );
  }
  const missing = migrations.filter(({ name }) => !applied.has(name));
  if (missing.length === 0) return;
  database.transaction(() => {
    const insert = sql.prepare('INSERT INTO migrations (name, applied) VALUES (?, ?)');
    for (const { name, sql: text } of missing) {
      sql.exec(text);
      insert.run(name, new Date().toISOString());
    }
  });
}

function isDamage(error: unknown): boolean {
  return error instanceof Damage || hasCode(error, SQLITE_CORRUPT, SQLITE_NOTADB);
}

/** Whether SQLite failed with one of the primary codes. */
function hasCode(error: unknown, ...codes: readonly number[]): boolean {
  const code: unknown = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' && codes.includes(code & 0xff);
}

function setAside(file: string, error: unknown): EngineError {
  const aside = `${file}.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  return new EngineError(
    'internal',
    `the database ${file} is damaged (${messageOf(error)}); it was kept as ${aside}. Restore a copy of it as ${file}, or start again with an empty store: images must then be pulled or loaded again, and volumes stay on the disk`,
    { cause: error, path: file },
  );
}

/** The database's opening, its schema's history and what it does with files it cannot use. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openDatabase } from './database.ts';
import { makePlaces } from './places.ts';
import type { Migration, Places } from './types.ts';

const one: Migration = { name: 'test/001', sql: 'CREATE TABLE one (a INTEGER) STRICT' };
const two: Migration = { name: 'test/002', sql: 'ALTER TABLE one ADD COLUMN b TEXT' };

let root: string;
let places: Places;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pinnace-database-'));
  places = makePlaces({ dataRoot: join(root, 'data'), runRoot: join(root, 'run') });
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

test('the folders are private', () => {
  for (const dir of [places.dataRoot, places.runRoot, places.snapshotsDir]) {
    assert.equal(statSync(dir).mode & 0o777, 0o700);
  }
});

test('migrations are applied once and in order, also later ones', () => {
  openDatabase(places, [one]).close();
  const database = openDatabase(places, [one, two]);
  database.sql.exec("INSERT INTO one (a, b) VALUES (1, 'x')");
  database.close();
  const again = openDatabase(places, [one, two]);
  assert.deepEqual({ ...again.sql.prepare('SELECT a, b FROM one').get() }, { a: 1, b: 'x' });
  assert.deepEqual({ ...again.sql.prepare('PRAGMA synchronous').get() }, { synchronous: 2 });
  assert.deepEqual({ ...again.sql.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' });
  again.close();
});

test('a failing migration changes nothing', () => {
  assert.throws(() => openDatabase(places, [one, { name: 'test/002', sql: 'nonsense' }]));
  const database = openDatabase(places, [one]);
  database.sql.exec('INSERT INTO one (a) VALUES (1)');
  database.close();
});

test('a database of a newer version is left alone and named', () => {
  openDatabase(places, [one, two]).close();
  assert.throws(() => openDatabase(places, [one]), {
    kind: 'conflict',
    message: /newer Pinnace.*test\/002/,
  });
  openDatabase(places, [one, two]).close();
});

test('a damaged database is kept aside and the next start has an empty one', () => {
  openDatabase(places, [one]).close();
  writeFileSync(
    join(places.dataRoot, 'state.db'),
    'this is no database at all, but a text '.repeat(50),
  );
  assert.throws(() => openDatabase(places, [one]), {
    kind: 'internal',
    message: /is damaged .* kept as .*state\.db\.damaged-/,
  });
  const aside =
    readdirSync(places.dataRoot).find((name) => name.startsWith('state.db.damaged-')) ?? '';
  assert.match(readFileSync(join(places.dataRoot, aside), 'utf8'), /^this is no database/);
  openDatabase(places, [one]).close();
});

test('a transaction is whole, nested ones join it, and one that waits is refused', () => {
  const database = openDatabase(places, [one]);
  const count = (): unknown => database.sql.prepare('SELECT count(*) AS n FROM one').get()?.['n'];
  assert.throws(() =>
    database.transaction(() => {
      database.sql.exec('INSERT INTO one (a) VALUES (1)');
      database.transaction(() => database.sql.exec('INSERT INTO one (a) VALUES (2)'));
      throw new Error('undone');
    }),
  );
  assert.equal(count(), 0);
  assert.throws(() => database.transaction(() => Promise.resolve(1)), /must not wait/);
  database.transaction(() => database.sql.exec('INSERT INTO one (a) VALUES (3)'));
  assert.equal(count(), 1);
  database.close();
});

/** The networks' rows in the database and their index in memory. The predefined `host` and `none` have no row: nothing of them differs. */

import { EngineError } from '../../lib/errors.ts';
import type { Database, Migration } from '../storage/types.ts';
import type { NetworkRecord } from './types.ts';

export const networkMigrations: readonly Migration[] = [
  {
    name: 'networks/001-networks',
    sql: `CREATE TABLE networks (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      number INTEGER NOT NULL UNIQUE,
      record TEXT NOT NULL
    ) STRICT`,
  },
];

/** Interface names and ports of the helper are made of the number. */
const MAX_NUMBER = 30_000;

/** Holds the invariant that the index and the rows agree. */
export class NetworkTable {
  readonly #database: Database;
  readonly #byId = new Map<string, NetworkRecord>();
  #last = 0;

  constructor(database: Database, fixed: readonly NetworkRecord[]) {
    this.#database = database;
    const rows = database.sql.prepare('SELECT record FROM networks ORDER BY number').all();
    for (const row of rows) {
      const record = JSON.parse(String(row['record'])) as NetworkRecord;
      this.#byId.set(record.id, record);
      this.#last = Math.max(this.#last, record.number);
    }
    for (const record of fixed) this.#byId.set(record.id, record);
  }

  all(): NetworkRecord[] {
    return [...this.#byId.values()];
  }

  byId(id: string): NetworkRecord | undefined {
    return this.#byId.get(id);
  }

  /** By name, id or unique id prefix; `default` is the bridge. Throws not-found and, for an ambiguous prefix, invalid. */
  find(reference: string): NetworkRecord {
    const named = reference === 'default' ? 'bridge' : reference;
    const exact = this.all().find(({ name, id }) => name === named || id === named);
    if (exact !== undefined) return exact;
    const matches = /^[0-9a-f]+$/.test(reference)
      ? this.all().filter(({ id }) => id.startsWith(reference))
      : [];
    const [only, other] = matches;
    if (other !== undefined) {
      throw new EngineError(
        'invalid',
        `network ${reference} is ambiguous (${String(matches.length)} matches found on ID prefix)`,
      );
    }
    if (only === undefined) throw new EngineError('not-found', `network ${reference} not found`);
    return only;
  }

  /** The next number that no network has: one that was given back is not used again at once. */
  freeNumber(): number {
    const used = new Set(this.all().map(({ number }) => number));
    do this.#last = (this.#last % MAX_NUMBER) + 1;
    while (used.has(this.#last));
    return this.#last;
  }

  /** Throws conflict when the name is taken. */
  insert(record: NetworkRecord): void {
    if (this.all().some(({ name }) => name === record.name))
      throw new EngineError('conflict', `network with name ${record.name} already exists`);
    this.#database.transaction(() => {
      this.#database.sql
        .prepare('INSERT INTO networks (id, name, number, record) VALUES (?, ?, ?, ?)')
        .run(record.id, record.name, record.number, JSON.stringify(record));
    });
    this.#byId.set(record.id, record);
  }

  remove(record: NetworkRecord): void {
    this.#database.transaction(() => {
      this.#database.sql.prepare('DELETE FROM networks WHERE id = ?').run(record.id);
    });
    this.#byId.delete(record.id);
  }
}

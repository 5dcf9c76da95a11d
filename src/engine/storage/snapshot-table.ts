/** Owns the rows of the table `snapshots` and their copy in memory, which always agree. It touches no directories. */

import type { Digest } from '../../lib/image/config.ts';
import type { Database, Migration, Snapshot } from './types.ts';

export const snapshotMigrations: readonly Migration[] = [
  {
    name: 'snapshots/001-table',
    sql: `
      CREATE TABLE snapshots (
        chain_id TEXT PRIMARY KEY,
        parent TEXT REFERENCES snapshots (chain_id),
        diff_id TEXT NOT NULL,
        directory TEXT NOT NULL UNIQUE,
        size INTEGER NOT NULL,
        diff_size INTEGER NOT NULL,
        blob_digest TEXT,
        blob_size INTEGER,
        blob_media_type TEXT,
        synced INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE INDEX snapshots_parent ON snapshots (parent);
      CREATE TABLE storage_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    `,
  },
];

/** What a row holds beyond the public snapshot: the name of its directory beneath the snapshots folder. */
export interface Row {
  readonly snapshot: Snapshot;
  readonly directory: string;
  readonly synced: boolean;
}

/** All rows by chain id; `dirOf` turns a directory's name into the layer's path. */
export class SnapshotTable {
  readonly #database: Database;
  readonly #rows = new Map<Digest, Row>();
  readonly #children = new Map<Digest, Set<Digest>>();

  constructor(database: Database, dirOf: (directory: string) => string) {
    this.#database = database;
    for (const row of database.sql.prepare('SELECT * FROM snapshots').all()) {
      const digest = row['blob_digest'];
      const directory = String(row['directory']);
      this.#remember({
        directory,
        synced: row['synced'] === 1,
        snapshot: {
          chainId: String(row['chain_id']),
          parent: row['parent'] === null ? null : String(row['parent']),
          diffId: String(row['diff_id']),
          dir: dirOf(directory),
          size: Number(row['size']),
          diffSize: Number(row['diff_size']),
          blob:
            digest === null
              ? null
              : {
                  digest: String(digest),
                  size: Number(row['blob_size']),
                  mediaType: String(row['blob_media_type']),
                },
        },
      });
    }
  }

  get(chainId: Digest): Row | undefined {
    return this.#rows.get(chainId);
  }

  all(): Row[] {
    return [...this.#rows.values()];
  }

  /** False when the chain id is there already; nothing has changed then. */
  insert(row: Row): boolean {
    const { snapshot } = row;
    if (this.#rows.has(snapshot.chainId)) return false;
    this.#database.sql
      .prepare(
        `INSERT INTO snapshots (chain_id, parent, diff_id, directory, size, diff_size,
           blob_digest, blob_size, blob_media_type) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        snapshot.chainId,
        snapshot.parent,
        snapshot.diffId,
        row.directory,
        snapshot.size,
        snapshot.diffSize,
        snapshot.blob?.digest ?? null,
        snapshot.blob?.size ?? null,
        snapshot.blob?.mediaType ?? null,
      );
    this.#remember(row);
    return true;
  }

  /** Removes rows; a child must be named along with its parent. */
  remove(chains: readonly Digest[]): void {
    const going = new Set(chains);
    const ordered: Digest[] = [];
    const visit = (chain: Digest): void => {
      if (!going.delete(chain)) return;
      for (const child of this.#children.get(chain) ?? []) visit(child);
      ordered.push(chain);
    };
    for (const chain of chains) visit(chain);
    this.#database.transaction(() => {
      const statement = this.#database.sql.prepare('DELETE FROM snapshots WHERE chain_id = ?');
      for (const chain of ordered) statement.run(chain);
    });
    for (const chain of ordered) {
      const parent = this.#rows.get(chain)?.snapshot.parent;
      if (parent !== undefined && parent !== null) this.#children.get(parent)?.delete(chain);
      this.#rows.delete(chain);
      this.#children.delete(chain);
    }
  }

  /** The chains themselves and everything built upon them. */
  withDescendants(chains: Iterable<Digest>): Digest[] {
    const found = new Set<Digest>();
    const open = [...chains];
    for (let chain = open.pop(); chain !== undefined; chain = open.pop()) {
      if (found.has(chain) || !this.#rows.has(chain)) continue;
      found.add(chain);
      open.push(...(this.#children.get(chain) ?? []));
    }
    return [...found];
  }

  markSynced(chains: readonly Digest[]): void {
    this.#database.transaction(() => {
      const statement = this.#database.sql.prepare(
        'UPDATE snapshots SET synced = 1 WHERE chain_id = ?',
      );
      for (const chain of chains) statement.run(chain);
    });
    for (const chain of chains) {
      const row = this.#rows.get(chain);
      if (row !== undefined) this.#rows.set(chain, { ...row, synced: true });
    }
  }

  setBlob(chainId: Digest, blob: NonNullable<Snapshot['blob']>): void {
    const row = this.#rows.get(chainId);
    if (row === undefined) return;
    this.#database.sql
      .prepare(
        'UPDATE snapshots SET blob_digest = ?, blob_size = ?, blob_media_type = ? WHERE chain_id = ?',
      )
      .run(blob.digest, blob.size, blob.mediaType, chainId);
    this.#rows.set(chainId, { ...row, snapshot: { ...row.snapshot, blob } });
  }

  blobInUse(digest: Digest): boolean {
    for (const { snapshot } of this.#rows.values())
      if (snapshot.blob?.digest === digest) return true;
    return false;
  }

  fact(name: string): string | undefined {
    const row = this.#database.sql
      .prepare('SELECT value FROM storage_facts WHERE name = ?')
      .get(name);
    return row === undefined ? undefined : String(row['value']);
  }

  setFact(name: string, value: string): void {
    this.#database.sql
      .prepare('INSERT OR REPLACE INTO storage_facts (name, value) VALUES (?, ?)')
      .run(name, value);
  }

  #remember(row: Row): void {
    const { chainId, parent } = row.snapshot;
    this.#rows.set(chainId, row);
    if (parent === null) return;
    const siblings = this.#children.get(parent) ?? new Set();
    siblings.add(chainId);
    this.#children.set(parent, siblings);
  }
}

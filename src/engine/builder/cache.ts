/**
 * The build cache's table: which key made which snapshot, with what a step cost and printed. Rows are facts, not
 * promises: a row whose snapshot is gone counts as absent. Nothing in it comes from images' own claims.
 */
import type { Database, Migration } from '../storage/types.ts';
import type { Key } from './keys.ts';

export const builderMigrations: readonly Migration[] = [
  {
    name: 'builder/001-cache',
    sql: `
      CREATE TABLE build_cache (
        key TEXT PRIMARY KEY,
        parent_key TEXT NOT NULL,
        chain_id TEXT,
        config TEXT NOT NULL,
        size INTEGER NOT NULL,
        ms REAL NOT NULL,
        log TEXT NOT NULL,
        created TEXT NOT NULL,
        last_used INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE build_contents (key TEXT PRIMARY KEY, digests TEXT NOT NULL) STRICT;
      CREATE INDEX build_cache_chain ON build_cache (chain_id);
      CREATE INDEX build_cache_parent ON build_cache (parent_key);
    `,
  },
];

/** One result. `chainId` is null for an empty file system. */
export interface CacheRow {
  readonly key: Key;
  readonly parentKey: Key;
  readonly chainId: string | null;
  /** JSON: the step's text and history line. */
  readonly config: string;
  /** Bytes of the layer. */
  readonly size: number;
  readonly ms: number;
  /** The end of what the step printed. */
  readonly log: string;
  /** ISO 8601. */
  readonly created: string;
}

export interface BuildCache {
  get(key: Key): CacheRow | undefined;
  /** Kept in memory until `flush`: rows are facts about snapshots that are durable already. */
  put(row: CacheRow): void;
  touch(key: Key): void;
  /** Content digests of trees that never change, as JSON. */
  content(key: Key): string | undefined;
  putContent(key: Key, digests: string): void;
  /** Writes what `put` and `touch` gathered, in one transaction. */
  flush(): void;
  /** Chain ids of all rows. */
  chains(): Set<string>;
  /** Rows, the last used first. */
  rows(): CacheRow[];
  remove(keys: readonly Key[]): void;
}

/** `now` gives milliseconds since the epoch. */
export function openCache(database: Database, now: () => number): BuildCache {
  const { sql } = database;
  const select = sql.prepare('SELECT * FROM build_cache WHERE key = ?');
  const insert = sql.prepare(
    'INSERT OR REPLACE INTO build_cache (key, parent_key, chain_id, config, size, ms, log, created, last_used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const use = sql.prepare('UPDATE build_cache SET last_used = ? WHERE key = ?');
  const erase = sql.prepare('DELETE FROM build_cache WHERE key = ?');
  const added = new Map<Key, CacheRow>();
  const touched = new Set<Key>();
  const contents = new Map<Key, string>();
  const selectContent = sql.prepare('SELECT digests FROM build_contents WHERE key = ?');
  const insertContent = sql.prepare(
    'INSERT OR REPLACE INTO build_contents (key, digests) VALUES (?, ?)',
  );
  return {
    get(key) {
      const fresh = added.get(key);
      if (fresh !== undefined) return fresh;
      const row = select.get(key);
      return row === undefined ? undefined : readRow(row);
    },
    put: (row) => void added.set(row.key, row),
    touch: (key) => void touched.add(key),
    content(key) {
      const row = contents.has(key) ? undefined : selectContent.get(key);
      return row === undefined ? contents.get(key) : String(row['digests']);
    },
    putContent: (key, digests) => void contents.set(key, digests),
    flush() {
      if (added.size + touched.size + contents.size === 0) return;
      const time = now();
      database.transaction(() => {
        for (const row of added.values()) {
          insert.run(
            row.key,
            row.parentKey,
            row.chainId,
            row.config,
            row.size,
            row.ms,
            row.log,
            row.created,
            time,
          );
        }
        for (const [key, digests] of contents) insertContent.run(key, digests);
        for (const key of touched) if (!added.has(key)) use.run(time, key);
      });
      added.clear();
      contents.clear();
      touched.clear();
    },
    chains() {
      const stored = sql
        .prepare('SELECT DISTINCT chain_id FROM build_cache WHERE chain_id IS NOT NULL')
        .all();
      const chains = new Set(stored.map((row) => String(row['chain_id'])));
      for (const { chainId } of added.values()) if (chainId !== null) chains.add(chainId);
      return chains;
    },
    rows: () =>
      sql.prepare('SELECT * FROM build_cache ORDER BY last_used DESC, key').all().map(readRow),
    remove(keys) {
      database.transaction(() => {
        sql.exec('DELETE FROM build_contents');
        for (const key of keys) {
          added.delete(key);
          erase.run(key);
        }
      });
    },
  };
}

function readRow(row: Record<string, unknown>): CacheRow {
  const chain = row['chain_id'];
  return {
    key: String(row['key']),
    parentKey: String(row['parent_key']),
    chainId: typeof chain === 'string' ? chain : null,
    config: String(row['config']),
    size: Number(row['size']),
    ms: Number(row['ms']),
    log: String(row['log']),
    created: String(row['created']),
  };
}

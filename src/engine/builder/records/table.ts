/** Owns the records of finished builds in the database: the last 200, each with its steps and the ends of their logs. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { BuildStep, BuildSummary } from '../../../lib/api/builds.ts';
import type { Database, Migration } from '../../storage/types.ts';
import type { RecordedStep } from './reasons.ts';

export const recordMigrations: readonly Migration[] = [
  {
    name: 'builder/002-records',
    sql: `
      CREATE TABLE build_records (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        origin TEXT NOT NULL,
        summary TEXT NOT NULL,
        steps BLOB NOT NULL,
        logs BLOB NOT NULL
      ) STRICT;
      CREATE INDEX build_records_origin ON build_records (origin);
    `,
  },
];

/** Older records go. */
const MAX_RECORDS = 200;

export type StoredStep = BuildStep & RecordedStep;

export interface StoredBuild {
  readonly summary: BuildSummary;
  /** Which builds are of the same thing. */
  readonly origin: string;
  readonly steps: readonly StoredStep[];
  /** By step. */
  readonly logs: readonly string[];
}

export class RecordTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  add({ summary, origin, steps, logs }: StoredBuild): void {
    const { sql } = this.#database;
    const insert = sql.prepare(
      'INSERT INTO build_records (id, origin, summary, steps, logs) VALUES (?, ?, ?, ?, ?)',
    );
    this.#database.transaction(() => {
      insert.run(summary.id, origin, JSON.stringify(summary), pack(steps), pack(logs));
      sql
        .prepare(
          'DELETE FROM build_records WHERE number <= (SELECT max(number) FROM build_records) - ?',
        )
        .run(MAX_RECORDS);
    });
  }

  /** The newest first. */
  summaries(): BuildSummary[] {
    return this.#database.sql
      .prepare('SELECT summary FROM build_records ORDER BY number DESC')
      .all()
      .map((row) => JSON.parse(String(row['summary'])) as BuildSummary);
  }

  get(id: string): Omit<StoredBuild, 'logs'> | undefined {
    const row = this.#database.sql
      .prepare('SELECT origin, summary, steps FROM build_records WHERE id = ?')
      .get(id);
    return row === undefined ? undefined : read(row);
  }

  logs(id: string): string[] | undefined {
    const row = this.#database.sql.prepare('SELECT logs FROM build_records WHERE id = ?').get(id);
    return row === undefined ? undefined : (unpack(row['logs']) as string[]);
  }

  /** The steps of the newest build of the same thing that was planned. */
  latest(origin: string): readonly StoredStep[] | undefined {
    const rows = this.#database.sql
      .prepare(
        'SELECT origin, summary, steps FROM build_records WHERE origin = ? ORDER BY number DESC LIMIT 5',
      )
      .all(origin);
    return rows.map(read).find(({ steps }) => steps.some(({ key }) => key !== ''))?.steps;
  }

  /** Whether there was such a record. */
  remove(id: string): boolean {
    const { changes } = this.#database.sql
      .prepare('DELETE FROM build_records WHERE id = ?')
      .run(id);
    return Number(changes) > 0;
  }
}

function read(row: Record<string, unknown>): Omit<StoredBuild, 'logs'> {
  return {
    origin: String(row['origin']),
    summary: JSON.parse(String(row['summary'])) as BuildSummary,
    steps: unpack(row['steps']) as StoredStep[],
  };
}

function pack(value: unknown): Buffer {
  return gzipSync(JSON.stringify(value), { level: 1 });
}

function unpack(value: unknown): unknown {
  return value instanceof Uint8Array
    ? (JSON.parse(gunzipSync(value).toString('utf8')) as unknown)
    : [];
}

/** The containers' rows in the database and their index in memory by id, name and prefix. Every change of state passes through here before anyone is told of it. */

import { EngineError } from '../../lib/errors.ts';
import type { Database, Migration } from '../storage/types.ts';
import { Container } from './container.ts';
import type { Definition, StoredState } from './container.ts';
import { isApart, NO_WISH } from './networking/wishes.ts';

export const containerMigrations: readonly Migration[] = [
  {
    name: 'containers/001-containers',
    sql: `CREATE TABLE containers (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      definition TEXT NOT NULL,
      state TEXT NOT NULL
    ) STRICT`,
  },
];

/** Holds the invariant that the index and the rows agree. */
export class ContainerTable {
  readonly #database: Database;
  readonly #byId = new Map<string, Container>();
  readonly #byName = new Map<string, Container>();

  constructor(database: Database) {
    this.#database = database;
    for (const row of database.sql
      .prepare('SELECT id, name, definition, state FROM containers')
      .all()) {
      const definition = readDefinition(String(row['definition']));
      this.#index(
        new Container(
          definition,
          String(row['name']),
          JSON.parse(String(row['state'])) as StoredState,
        ),
      );
    }
  }

  all(): Container[] {
    return [...this.#byId.values()];
  }

  byId(id: string): Container | undefined {
    return this.#byId.get(id);
  }

  byName(name: string): Container | undefined {
    return this.#byName.get(name);
  }

  /** By id, name (with or without slash) or unique id prefix. */
  find(reference: string): Container | undefined {
    const exact = this.#byId.get(reference) ?? this.#byName.get(reference.replace(/^\//, ''));
    if (exact !== undefined || !/^[0-9a-f]+$/.test(reference)) return exact;
    const matches = this.all().filter((container) => container.id.startsWith(reference));
    if (matches.length > 1) {
      throw new EngineError('invalid', `Multiple IDs found with provided prefix: ${reference}`);
    }
    return matches[0];
  }

  /** As find; throws not-found in Docker's words. */
  get(reference: string): Container {
    const container = reference === '' ? undefined : this.find(reference);
    if (container === undefined)
      throw new EngineError('not-found', `No such container: ${reference}`);
    return container;
  }

  /** Throws conflict when the name is taken. */
  insert(container: Container): void {
    this.checkFree(container.name);
    this.#database.transaction(() => {
      this.#database.sql
        .prepare('INSERT INTO containers (id, name, definition, state) VALUES (?, ?, ?, ?)')
        .run(
          container.id,
          container.name,
          JSON.stringify(container.definition),
          JSON.stringify(container.state),
        );
    });
    this.#index(container);
  }

  checkFree(name: string): void {
    const holder = this.#byName.get(name);
    if (holder === undefined) return;
    throw new EngineError(
      'conflict',
      `Conflict. The container name "/${name}" is already in use by container "${holder.id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  }

  /** Writes the new state, then shows it. */
  save(container: Container, change: Partial<StoredState>): void {
    const state = { ...container.state, ...change };
    this.#database.transaction(() => {
      this.#database.sql
        .prepare('UPDATE containers SET state = ? WHERE id = ?')
        .run(JSON.stringify(state), container.id);
    });
    container.state = state;
  }

  saveDefinition(
    container: Container,
    change: Partial<Pick<Definition, 'hostConfig' | 'networks' | 'leftNone'>>,
  ): void {
    const definition = { ...container.definition, ...change };
    this.#database.transaction(() => {
      this.#database.sql
        .prepare('UPDATE containers SET definition = ? WHERE id = ?')
        .run(JSON.stringify(definition), container.id);
    });
    if (change.hostConfig !== undefined) container.definition.hostConfig = change.hostConfig;
    if (change.networks !== undefined) container.definition.networks = change.networks;
    if (change.leftNone !== undefined) container.definition.leftNone = change.leftNone;
  }

  rename(container: Container, name: string): void {
    this.checkFree(name);
    this.#database.transaction(() => {
      this.#database.sql
        .prepare('UPDATE containers SET name = ? WHERE id = ?')
        .run(name, container.id);
    });
    this.#byName.delete(container.name);
    container.name = name;
    this.#byName.set(name, container);
  }

  remove(container: Container): void {
    this.#database.transaction(() => {
      this.#database.sql.prepare('DELETE FROM containers WHERE id = ?').run(container.id);
    });
    this.#byId.delete(container.id);
    this.#byName.delete(container.name);
  }

  #index(container: Container): void {
    this.#byId.set(container.id, container);
    this.#byName.set(container.name, container);
  }
}

/** A row of before networks could be connected has none of its own but the default one. */
function readDefinition(text: string): Definition {
  const row = JSON.parse(text) as Omit<Definition, 'networks'> & Partial<Definition>;
  const mode = row.hostConfig.NetworkMode ?? 'bridge';
  return { ...row, networks: row.networks ?? (isApart(mode) ? {} : { [mode]: NO_WISH }) };
}

/** Owns the rows of images and their names, with a copy in memory that always agrees. It knows no layers and no files. */

import type { Digest, ImageConfig } from '../../lib/image/config.ts';
import {
  familiarName,
  formatReference,
  parseReference,
  repositoryOf,
} from '../../lib/image/reference.ts';
import type { Reference } from '../../lib/image/reference.ts';
import type { Database, Migration } from '../storage/types.ts';
import type { RawManifest } from './registry.ts';

export const imageMigrations: readonly Migration[] = [
  {
    name: 'images/001-tables',
    sql: `
      CREATE TABLE images (
        id TEXT PRIMARY KEY,
        chain_id TEXT,
        parent TEXT NOT NULL,
        config TEXT NOT NULL,
        last_tagged TEXT NOT NULL DEFAULT ''
      ) STRICT;
      CREATE TABLE image_names (
        name TEXT PRIMARY KEY,
        image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
      ) STRICT;
      CREATE INDEX image_names_image ON image_names (image);
    `,
  },
  {
    name: 'images/002-manifests',
    sql: `
      CREATE TABLE image_manifests (
        image TEXT PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
        digest TEXT NOT NULL,
        media_type TEXT NOT NULL,
        bytes BLOB NOT NULL
      ) STRICT;
    `,
  },
];

/** One image as the table holds it; names are full references with a tag or a digest. */
export interface ImageRow {
  readonly id: Digest;
  readonly chainId: Digest | null;
  readonly parent: string;
  readonly config: ImageConfig;
  readonly lastTagged: string;
}

/** Images by id, names by their full form. */
export class ImageTable {
  readonly #database: Database;
  readonly #rows = new Map<Digest, ImageRow>();
  readonly #names = new Map<string, Digest>();

  constructor(database: Database) {
    this.#database = database;
    for (const row of database.sql.prepare('SELECT * FROM images').all()) {
      const id = String(row['id']);
      this.#rows.set(id, {
        id,
        chainId: row['chain_id'] === null ? null : String(row['chain_id']),
        parent: String(row['parent']),
        config: JSON.parse(String(row['config'])) as ImageConfig,
        lastTagged: String(row['last_tagged']),
      });
    }
    for (const row of database.sql.prepare('SELECT name, image FROM image_names').all()) {
      this.#names.set(String(row['name']), String(row['image']));
    }
  }

  get(id: Digest): ImageRow | undefined {
    return this.#rows.get(id);
  }

  all(): ImageRow[] {
    return [...this.#rows.values()];
  }

  putManifest(id: Digest, { digest, mediaType, bytes }: RawManifest): void {
    this.#database.sql
      .prepare(
        'INSERT OR REPLACE INTO image_manifests (image, digest, media_type, bytes) VALUES (?, ?, ?, ?)',
      )
      .run(id, digest, mediaType, bytes);
  }

  manifestOf(id: Digest): RawManifest | undefined {
    const row = this.#database.sql
      .prepare('SELECT digest, media_type, bytes FROM image_manifests WHERE image = ?')
      .get(id);
    const bytes = row?.['bytes'];
    if (row === undefined || !(bytes instanceof Uint8Array)) return undefined;
    return {
      digest: String(row['digest']),
      mediaType: String(row['media_type']),
      bytes: Buffer.from(bytes),
    };
  }

  /** The image that carries exactly this name. */
  named(reference: Reference): ImageRow | undefined {
    const id = this.#names.get(nameKey(reference));
    return id === undefined ? undefined : this.#rows.get(id);
  }

  /** The full references of an image, tags and digests, sorted. */
  namesOf(id: Digest): Reference[] {
    const names: string[] = [];
    for (const [name, image] of this.#names) if (image === id) names.push(name);
    return names.sort().map((name) => parseReference(name));
  }

  /** The tags of one repository. */
  tagsOf(repository: string): Reference[] {
    return [...this.#names.keys()]
      .filter((name) => name.startsWith(`${repository}:`))
      .sort()
      .map((name) => parseReference(name));
  }

  children(id: Digest): Digest[] {
    return this.all()
      .filter((row) => row.parent === id)
      .map((row) => row.id);
  }

  /** Adds the image when it is new and moves the names to it, in one transaction. */
  put(row: ImageRow, names: readonly Reference[], now: string): void {
    const tagged = names.some((name) => name.tag !== undefined) ? now : undefined;
    this.#database.transaction(() => {
      this.#database.sql
        .prepare(
          `INSERT INTO images (id, chain_id, parent, config, last_tagged) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (id) DO NOTHING`,
        )
        .run(row.id, row.chainId, row.parent, JSON.stringify(row.config), row.lastTagged);
      const name = this.#database.sql.prepare(
        'INSERT OR REPLACE INTO image_names (name, image) VALUES (?, ?)',
      );
      for (const reference of names) name.run(nameKey(reference), row.id);
      if (tagged !== undefined) {
        this.#database.sql
          .prepare('UPDATE images SET last_tagged = ? WHERE id = ?')
          .run(tagged, row.id);
      }
    });
    const held = this.#rows.get(row.id) ?? row;
    this.#rows.set(row.id, tagged === undefined ? held : { ...held, lastTagged: tagged });
    for (const reference of names) this.#names.set(nameKey(reference), row.id);
  }

  unname(reference: Reference): void {
    this.#database.sql.prepare('DELETE FROM image_names WHERE name = ?').run(nameKey(reference));
    this.#names.delete(nameKey(reference));
  }

  /** Removes an image and all its names. */
  remove(id: Digest): void {
    this.#database.sql.prepare('DELETE FROM images WHERE id = ?').run(id);
    this.#rows.delete(id);
    for (const [name, image] of this.#names) if (image === id) this.#names.delete(name);
  }
}

/** The familiar form without the other half: a tag's name has no digest and the reverse. */
export function familiarNames(references: readonly Reference[]): {
  tags: string[];
  digests: string[];
} {
  const tags: string[] = [];
  const digests: string[] = [];
  for (const reference of references) {
    const name = familiarName(reference);
    if (reference.digest !== undefined) digests.push(`${name}@${reference.digest}`);
    else if (reference.tag !== undefined) tags.push(`${name}:${reference.tag}`);
  }
  return { tags, digests };
}

/** A reference that has both is known by its digest. */
function nameKey(reference: Reference): string {
  if (reference.digest !== undefined) return `${repositoryOf(reference)}@${reference.digest}`;
  return formatReference(reference);
}

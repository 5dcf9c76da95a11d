/** Named and anonymous volumes: directories below the data root and their rows in the database. It never touches what lies inside one, except to remove it whole. */

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { EngineError } from '../../lib/errors.ts';
import type { Native } from '../runtime/types.ts';
import type { Database, Migration, Places } from '../storage/types.ts';
import type { Volume, Volumes } from './types.ts';

export const volumeMigrations: readonly Migration[] = [
  {
    name: 'volumes/001-volumes',
    sql: `CREATE TABLE volumes (
      name TEXT PRIMARY KEY,
      created TEXT NOT NULL,
      labels TEXT NOT NULL,
      options TEXT NOT NULL,
      anonymous INTEGER NOT NULL
    ) STRICT`,
  },
];

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
/** Docker marks anonymous volumes with this label since 23.0. */
const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';
const OPTIONS = ['type', 'o', 'device'];
const FORBIDDEN_BIND_OPTIONS = ['shared', 'rshared'];

export interface VolumesParts {
  readonly database: Database;
  readonly places: Places;
  readonly native: Native;
  /** Where `create` and `destroy` are announced. */
  readonly events: {
    emit(
      type: 'volume',
      action: string,
      actor: { ID: string; Attributes: Record<string, string> },
    ): void;
  };
  readonly clock: () => Date;
}

/** How a volume is mounted: a directory of ours, or what its driver options say. */
export type VolumeSource =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'bind'; readonly path: string; readonly options: readonly string[] }
  | { readonly kind: 'tmpfs'; readonly options: readonly string[] };

/** What containers need beyond the API's interface. */
export interface VolumeStore extends Volumes {
  /** Throws not-found. */
  source(name: string): VolumeSource;
  /** Tells which containers (ids) use a volume; set once by the containers. */
  setUsers(users: (name: string) => readonly string[]): void;
  isAnonymous(name: string): boolean;
  /** Removes directories without a row: left by a killed engine in the middle of create or remove. */
  reconcile(): Promise<void>;
}

export function createVolumes(parts: VolumesParts): VolumeStore {
  return new StoredVolumes(parts);
}

interface Row {
  readonly name: string;
  readonly created: string;
  readonly labels: string;
  readonly options: string;
  readonly anonymous: number;
}

interface CreateRequest {
  Name?: string;
  Driver?: string;
  DriverOpts?: Record<string, string>;
  Labels?: Record<string, string>;
}

class StoredVolumes implements VolumeStore {
  readonly #parts: VolumesParts;
  #users: (name: string) => readonly string[] = () => [];

  constructor(parts: VolumesParts) {
    this.#parts = parts;
  }

  setUsers(users: (name: string) => readonly string[]): void {
    this.#users = users;
  }

  async create(request: CreateRequest): Promise<Volume> {
    const driver = request.Driver ?? '';
    if (driver !== '' && driver !== 'local') {
      throw new EngineError(
        'not-found',
        `error looking up volume plugin ${driver}: plugin "${driver}" not found`,
      );
    }
    const options = request.DriverOpts ?? {};
    checkOptions(options);
    const isAnonymous = request.Name === undefined || request.Name === '';
    const name = isAnonymous ? randomBytes(32).toString('hex') : (request.Name ?? '');
    checkName(name);
    const existing = this.#find(name);
    if (existing !== undefined) {
      if (request.DriverOpts !== undefined && !sameOptions(existing.Options, options)) {
        throw new EngineError(
          'conflict',
          `volume ${name} exists already with other driver options: remove it first`,
        );
      }
      return existing;
    }
    const labels = { ...request.Labels, ...(isAnonymous ? { [ANONYMOUS_LABEL]: '' } : {}) };
    await mkdir(this.#mountpoint(name), { recursive: true });
    // Containers' users must be able to enter it, whatever the engine's umask.
    await chmod(this.#mountpoint(name), 0o755);
    const { database, clock } = this.#parts;
    // Another caller may have made it while the directory was: the first row wins.
    database.transaction(() => {
      database.sql
        .prepare(
          'INSERT OR IGNORE INTO volumes (name, created, labels, options, anonymous) VALUES (?, ?, ?, ?, ?)',
        )
        .run(
          name,
          clock().toISOString(),
          JSON.stringify(labels),
          JSON.stringify(options),
          isAnonymous ? 1 : 0,
        );
    });
    this.#parts.events.emit('volume', 'create', { ID: name, Attributes: { driver: 'local' } });
    return this.get(name);
  }

  get(name: string): Volume {
    const volume = this.#find(name);
    if (volume === undefined) throw new EngineError('not-found', `get ${name}: no such volume`);
    return volume;
  }

  list(): Volume[] {
    const rows = this.#parts.database.sql.prepare('SELECT * FROM volumes ORDER BY name').all();
    return rows.map((row) => this.#toVolume(row as unknown as Row));
  }

  isAnonymous(name: string): boolean {
    const row = this.#parts.database.sql
      .prepare('SELECT anonymous FROM volumes WHERE name = ?')
      .get(name);
    return row !== undefined && row['anonymous'] === 1;
  }

  source(name: string): VolumeSource {
    const volume = this.get(name);
    const options = (volume.Options['o'] ?? '').split(',').filter((option) => option !== '');
    if (volume.Options['type'] === 'tmpfs') return { kind: 'tmpfs', options };
    const device = volume.Options['device'];
    if (device !== undefined) {
      return {
        kind: 'bind',
        path: device,
        options: options.filter((option) => option !== 'bind' && option !== 'rbind'),
      };
    }
    return { kind: 'directory', path: volume.Mountpoint };
  }

  async remove(name: string, options: { force: boolean }): Promise<void> {
    if (this.#find(name) === undefined) {
      if (options.force) return;
      throw new EngineError('not-found', `get ${name}: no such volume`);
    }
    const users = this.#users(name);
    if (users.length > 0) {
      throw new EngineError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`);
    }
    const { database, native, places, events } = this.#parts;
    database.transaction(() => {
      database.sql.prepare('DELETE FROM volumes WHERE name = ?').run(name);
    });
    events.emit('volume', 'destroy', { ID: name, Attributes: { driver: 'local' } });
    await native.call(['layer', 'remove'], { dirs: [join(places.volumesDir, name)] });
  }

  async prune(options: { all: boolean; inUse: ReadonlySet<string> }): Promise<{
    VolumesDeleted: string[];
    SpaceReclaimed: number;
  }> {
    const candidates = this.list().filter(
      ({ Name }) =>
        !options.inUse.has(Name) &&
        this.#users(Name).length === 0 &&
        (options.all || this.isAnonymous(Name)),
    );
    const dirs = candidates.map((volume) => volume.Mountpoint);
    const usage =
      dirs.length === 0
        ? { bytes: [] }
        : await this.#parts.native.call<{ bytes: number[] }>(['layer', 'usage'], { dirs });
    for (const volume of candidates) await this.remove(volume.Name, { force: true });
    return {
      VolumesDeleted: candidates.map((volume) => volume.Name),
      SpaceReclaimed: usage.bytes.reduce((sum, bytes) => sum + bytes, 0),
    };
  }

  async reconcile(): Promise<void> {
    const { places, native } = this.#parts;
    const found = await readdir(places.volumesDir).catch(() => []);
    const dirs = found
      .filter((name) => this.#find(name) === undefined)
      .map((name) => join(places.volumesDir, name));
    if (dirs.length > 0) await native.call(['layer', 'remove'], { dirs });
  }

  #find(name: string): Volume | undefined {
    const row = this.#parts.database.sql.prepare('SELECT * FROM volumes WHERE name = ?').get(name);
    return row === undefined ? undefined : this.#toVolume(row as unknown as Row);
  }

  #mountpoint(name: string): string {
    return join(this.#parts.places.volumesDir, name, '_data');
  }

  #toVolume(row: Row): Volume {
    return {
      Name: row.name,
      Driver: 'local',
      Mountpoint: this.#mountpoint(row.name),
      CreatedAt: row.created,
      Labels: JSON.parse(row.labels) as Record<string, string>,
      Options: JSON.parse(row.options) as Record<string, string>,
      Scope: 'local',
    };
  }
}

/** Docker's rule for volume names; also what keeps a name inside the volumes' directory. */
function checkName(name: string): void {
  if (name.length < 2 && NAME.test(name)) {
    throw new EngineError(
      'invalid',
      'volume name is too short, names should be at least two alphanumeric characters',
    );
  }
  if (!NAME.test(name) || name.length > 255) {
    throw new EngineError(
      'invalid',
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
}

function checkOptions(options: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(options)) {
    if (!OPTIONS.includes(key)) throw new EngineError('invalid', `invalid option: "${key}"`);
  }
  const type = options['type'];
  if (type === undefined && options['device'] === undefined && options['o'] === undefined) return;
  const flags = (options['o'] ?? '').split(',');
  if (type === 'tmpfs') return;
  const device = options['device'];
  if (!flags.includes('bind') && !flags.includes('rbind')) {
    throw new EngineError(
      'not-implemented',
      `the local driver mounts type=tmpfs and o=bind; type "${type ?? ''}" is not supported: mount it on the host and use o=bind`,
    );
  }
  if (
    device === undefined ||
    !isAbsolute(device) ||
    normalize(device) !== device.replace(/(.)\/$/, '$1')
  ) {
    throw new EngineError(
      'invalid',
      `missing or invalid device in volume options: "${device ?? ''}" must be an absolute path`,
    );
  }
  const refused = flags.find((flag) => FORBIDDEN_BIND_OPTIONS.includes(flag));
  if (refused !== undefined) {
    throw new EngineError(
      'forbidden',
      `volume option "${refused}" would let mounts reach the host`,
    );
  }
}

function sameOptions(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

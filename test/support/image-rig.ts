/** An image store with the real native helper in a root of its own, layer and archive makers, and a leak check. It starts no engine. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { RegistryConfig } from '../../src/lib/image/registry-config.ts';
import { imageMigrations } from '../../src/engine/images/image-table.ts';
import type { ImageUser } from '../../src/engine/images/removal.ts';
import { openImages } from '../../src/engine/images/store.ts';
import type { ImageEvent, ImageStore } from '../../src/engine/images/types.ts';
import { createNative } from '../../src/engine/runtime/native.ts';
import { openBlobs } from '../../src/engine/storage/blobs.ts';
import { openDatabase } from '../../src/engine/storage/database.ts';
import { makePlaces } from '../../src/engine/storage/places.ts';
import { snapshotMigrations } from '../../src/engine/storage/snapshot-table.ts';
import { openSnapshots } from '../../src/engine/storage/snapshots.ts';
import type {
  BlobStore,
  Database,
  LayerVerbs,
  Places,
  SnapshotStore,
} from '../../src/engine/storage/types.ts';
import type { ImageConfig } from '../../src/lib/image/config.ts';
import { platformOf } from '../../src/lib/image/platform.ts';
import { ROOT } from './engine.ts';

export interface Rig {
  readonly root: string;
  readonly places: Places;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly snapshots: SnapshotStore;
  readonly images: ImageStore;
  readonly native: LayerVerbs;
  readonly warnings: string[];
  readonly events: ImageEvent[];
  /** Containers that use images, by image id. */
  readonly users: Map<string, ImageUser[]>;
  readonly needed: Set<string>;
  /** Closes the database without any other farewell, as a killed engine does. */
  crash(): void;
  close(): Promise<void>;
}

export interface RigOptions {
  readonly root?: string;
  readonly registry?: RegistryConfig;
  readonly bootId?: string;
}

/** The helper: PINNACE_NATIVE, or the newest build of this checkout. */
function helperPath(): string {
  const given = process.env['PINNACE_NATIVE'];
  if (given !== undefined && given !== '') return given;
  const found = globSync(['out/native/pinnace-native', 'native/target/*/release/pinnace-native'], {
    cwd: ROOT,
  })
    .map((name) => join(ROOT, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  assert.ok(found[0] !== undefined, 'no native helper: run `npm run build`, or set PINNACE_NATIVE');
  return found[0];
}

/** Opens a store in `root`, or in a new temporary one, under the engine's umask. */
export async function openRig(options: RigOptions = {}): Promise<Rig> {
  process.umask(0o077);
  const root = options.root ?? mkdtempSync(join(tmpdir(), 'pinnace-images-'));
  const places = makePlaces({ dataRoot: join(root, 'data'), runRoot: join(root, 'run') });
  const database = openDatabase(places, [...snapshotMigrations, ...imageMigrations]);
  const blobs = openBlobs(places);
  const native = createNative(helperPath());
  const warnings: string[] = [];
  const events: ImageEvent[] = [];
  const users = new Map<string, ImageUser[]>();
  const needed = new Set<string>();
  const warn = (message: string): void => {
    warnings.push(message);
  };
  const { bootId } = options;
  const snapshots = await openSnapshots({
    places,
    database,
    blobs,
    native,
    warn,
    ...(bootId === undefined ? {} : { bootId: () => Promise.resolve(bootId) }),
  });
  const images = await openImages({
    database,
    blobs,
    snapshots,
    registry: options.registry ?? { mirrors: {}, insecure: [] },
    platform: platformOf(process.arch),
    usersOf: (id) => users.get(id) ?? [],
    neededChains: () => needed,
    emit: (event) => events.push(event),
    warn,
    now: () => Date.now(),
  });
  return {
    ...{
      root,
      places,
      database,
      blobs,
      snapshots,
      images,
      native,
      warnings,
      events,
      users,
      needed,
    },
    crash: () => database.close(),
    close: async () => {
      await snapshots.close();
      database.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Nothing but what rows name is on the disk: directories, blobs, temporary files. */
export async function assertTidy(rig: Rig): Promise<void> {
  await rig.snapshots.idle();
  const named = rig.snapshots.all();
  const dirs = named.map((snapshot) => snapshot.dir.split('/').at(-2) ?? '').sort();
  assert.deepEqual(readdirSync(rig.places.snapshotsDir).sort(), dirs, 'directories without a row');
  assert.deepEqual(readdirSync(rig.places.tmpDir), [], 'temporary files');
  const used = new Set(rig.images.list().map((image) => image.id));
  for (const { blob } of named) if (blob !== null) used.add(blob.digest);
  assert.deepEqual((await rig.blobs.all()).sort(), [...used].sort(), 'blobs without a user');
}

export type Files = Readonly<
  Record<string, string | { link: string } | { dir: true } | { size: number }>
>;

/** A tar of files; a name that ends with a slash is a directory. */
export async function makeTar(files: Files): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'string') tar.entry({ name, mtime: new Date(0) }, content);
    else if ('link' in content)
      tar.entry({ name, type: 'symlink', linkname: content.link, mtime: new Date(0) });
    else if ('size' in content)
      tar.entry({ name, mtime: new Date(0) }, Buffer.alloc(content.size, 7));
    else tar.entry({ name, type: 'directory', mode: 0o755, mtime: new Date(0) });
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function digestOf(data: Buffer | string): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

export interface MadeLayer {
  readonly tar: Buffer;
  readonly gzip: Buffer;
  readonly diffId: string;
  readonly digest: string;
}

export async function makeLayer(files: Files): Promise<MadeLayer> {
  return layerOf(await makeTar(files));
}

export function layerOf(tar: Buffer): MadeLayer {
  const gzip = gzipSync(tar);
  return { tar, gzip, diffId: digestOf(tar), digest: digestOf(gzip) };
}

export function makeConfig(
  layers: readonly MadeLayer[],
  more: Partial<ImageConfig> = {},
): ImageConfig {
  return {
    created: '2024-01-02T03:04:05Z',
    ...platformOf(process.arch),
    config: { Cmd: ['sh'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((_, at) => ({
      created: '2024-01-02T03:04:05Z',
      created_by: `layer ${String(at)}`,
    })),
    ...more,
  };
}

/** A stream of a buffer in pieces, as a network gives it. */
export function streamOf(data: Buffer, piece = 32 * 1024): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < data.length; at += piece) pieces.push(data.subarray(at, at + piece));
  return Readable.from(pieces, { objectMode: false });
}

export async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

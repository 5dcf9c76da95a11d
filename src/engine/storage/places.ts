/** Owns the folders of an engine's data root and run root. It decides where things lie, never what they mean. */

import { chmodSync, lstatSync, mkdirSync, statfsSync } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { Places } from './types.ts';

/** Makes every folder (0700). Throws `forbidden` when a root belongs to somebody else or is not a folder. */
export function makePlaces(roots: { dataRoot: string; runRoot: string }): Places {
  const dataRoot = resolve(roots.dataRoot);
  const runRoot = resolve(roots.runRoot);
  const places: Places = {
    dataRoot,
    runRoot,
    contentDir: join(dataRoot, 'content'),
    snapshotsDir: join(dataRoot, 'snapshots'),
    volumesDir: join(dataRoot, 'volumes'),
    containersDir: join(dataRoot, 'containers'),
    shimsDir: join(runRoot, 'shims'),
    tmpDir: join(dataRoot, 'tmp'),
  };
  for (const dir of [dataRoot, runRoot]) makePrivate(dir);
  for (const dir of [places.contentDir, places.snapshotsDir, places.volumesDir]) makePrivate(dir);
  for (const dir of [places.containersDir, places.shimsDir, places.tmpDir]) makePrivate(dir);
  return places;
}

/** Removes what a killed engine left in the temporary folder. Only for the owner of the engine's lock. */
export async function clearTemporary(places: Places): Promise<void> {
  const names = await readdir(places.tmpDir);
  await Promise.all(
    names.map((name) => rm(join(places.tmpDir, name), { recursive: true, force: true })),
  );
}

/** Makes a folder's names durable (fsync(2), "does not necessarily ensure that the entry in the directory…"). */
export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Bytes that may still be written beneath a folder. */
export function freeBytes(dir: string): number {
  const facts = statfsSync(dir);
  return facts.bavail * facts.bsize;
}

function makePrivate(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new EngineError('unavailable', `the folder ${dir} cannot be made: ${messageOf(error)}`, {
      cause: error,
      path: dir,
    });
  }
  const facts = lstatSync(dir);
  if (!facts.isDirectory()) throw refused(dir, 'is a symbolic link, not a folder');
  const uid = process.geteuid?.() ?? facts.uid;
  if (facts.uid !== uid)
    throw refused(dir, `belongs to user ${String(facts.uid)}, not to ${String(uid)}`);
  if ((facts.mode & 0o077) !== 0) chmodSync(dir, 0o700);
}

function refused(dir: string, why: string): EngineError {
  return new EngineError('forbidden', `${dir} ${why}: choose another data root or run root`, {
    path: dir,
  });
}

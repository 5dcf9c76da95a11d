/** What is left of a build and what the cache holds for nobody: judged here, removed through the helper. */
import { rm } from 'node:fs/promises';
import type { Image } from '../images/types.ts';
import type { Native } from '../runtime/types.ts';
import type { SnapshotStore } from '../storage/types.ts';
import type { CacheRow } from './cache.ts';

/**
 * Removes a build's folder; the helper takes trees of any depth, the plain way is for when it cannot run. Never rejects:
 * what stays lies in the temporary folder, which every start of the engine empties.
 */
export async function removeBuilt(native: Native, dir: string): Promise<void> {
  try {
    await native.call(['layer', 'remove'], { dirs: [dir] });
  } catch {
    await rm(dir, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Rows whose snapshot is in no image's chain. */
export function unusedRows(
  rows: readonly CacheRow[],
  images: readonly Image[],
  snapshots: SnapshotStore,
): CacheRow[] {
  const used = new Set<string>();
  for (const image of images) {
    for (
      let at = image.chainId;
      at !== null && !used.has(at);
      at = snapshots.get(at)?.parent ?? null
    )
      used.add(at);
  }
  return rows.filter(({ chainId }) => chainId !== null && !used.has(chainId));
}

/** `--network` of a build as its steps see it: what is neither none nor host is looked up when a step needs it. */
export function parseNetwork(mode: string): 'default' | 'none' | 'host' {
  return mode === 'none' || mode === 'host' ? mode : 'default';
}

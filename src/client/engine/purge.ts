/** Removes everything an engine has stored. The files of a rootless engine belong to subordinate ids, so the removal runs in its user namespace. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { EngineError, messageOf } from '../../lib/errors.ts';
import { createClient } from '../api/client.ts';
import { enginePaths, type RootChoice } from './paths.ts';
import { nativePath } from './program.ts';
import { startEngine } from './start.ts';
import { stopEngine } from './stop.ts';

/**
 * Stops every container and the engine, then removes both roots. Resolves to the removed folders.
 * Throws EngineError (internal) naming the folder that could not be removed.
 */
export async function purgeEngine(choice: RootChoice = {}): Promise<string[]> {
  const paths = enginePaths(choice);
  const roots = [paths.dataRoot, paths.runRoot].filter((root) => existsSync(root));
  if (roots.length === 0) return [];
  if (existsSync(paths.socket) || existsSync(`${paths.dataRoot}/state.db`))
    await removeContainers(choice);
  await stopEngine(choice);
  const native = nativePath(choice.env);
  const where = ['--data-root', paths.dataRoot, '--run-root', paths.runRoot];
  const running = promisify(execFile)(native, ['enter', ...where, '--', native, 'layer', 'remove']);
  running.child.stdin?.end(JSON.stringify({ dirs: roots }));
  try {
    await running;
    for (const root of roots) await rm(root, { recursive: true, force: true });
  } catch (cause) {
    throw new EngineError(
      'internal',
      `${roots.join(' and ')} could not be removed: ${messageOf(cause)}`,
      { cause },
    );
  }
  return roots;
}

async function removeContainers(choice: RootChoice): Promise<void> {
  const { socket } = await startEngine(choice);
  const client = createClient({ socketPath: socket });
  try {
    for (const { Id } of await client.containers.list({ all: true })) {
      await client.containers.remove(Id, { force: true, volumes: true });
    }
  } finally {
    client.close();
  }
}

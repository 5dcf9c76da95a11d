/** Ends what a lost supervisor left in a container's control group and removes the group. Living supervisors do this themselves; only for the dead ones. */

import { readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../lib/errors.ts';
import type { Probe } from './probe.ts';

const ATTEMPTS = 20;
const PAUSE_MS = 10;

/** `path` as the container's `cgroupsPath`. Throws `internal` naming the group that could not be removed. */
export async function clearCgroup(cgroup: Probe['cgroup'], path: string): Promise<void> {
  if (cgroup.root === null) return;
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  await Promise.all(cgroupDirs(cgroup, own, path).map(removeGroup));
}

/** Where the group may be: below the hierarchy's root, or below the engine's own group. */
export function cgroupDirs(cgroup: Probe['cgroup'], own: string, path: string): string[] {
  const root = cgroup.root ?? '';
  const dirs = new Set<string>();
  for (const line of own.split('\n')) {
    const [, names, place] = line.split(/:([^:]*):/);
    if (names === undefined || place === undefined) continue;
    if (cgroup.version === 2) {
      if (names !== '') continue;
      dirs.add(join(root, path)).add(join(root, place, path));
    } else {
      for (const name of [names, ...names.split(',')].filter(
        (part) => cgroup.controllers.includes(part) || part === names,
      )) {
        if (name === '' || name.startsWith('name=')) continue;
        dirs.add(join(root, name, path)).add(join(root, name, place, path));
      }
    }
  }
  return [...dirs];
}

async function removeGroup(dir: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const procs = await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => undefined);
    if (procs === undefined) return;
    for (const pid of procs.split('\n').filter((text) => text !== '')) end(Number(pid));
    const failure: unknown = await rmdir(dir).catch((error: unknown) => error);
    if (failure === undefined) return;
    if (attempt === ATTEMPTS) {
      throw new EngineError(
        'internal',
        `the control group of a lost container could not be removed: ${dir}`,
        { cause: failure, path: dir },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone since the list was read.
  }
}

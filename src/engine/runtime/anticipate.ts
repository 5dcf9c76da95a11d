/**
 * Hides the wait for a move between control groups. The kernel takes a lock for such a move whose first
 * writer waits for an RCU grace period (about 8 ms; percpu_rw_semaphore, rcu_sync), later ones do not.
 * A move of the engine into the group where it is changes nothing but starts that wait early, while the
 * request is still on its way to the process that really moves. It must never fail a caller.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The `cgroup.procs` of the engine's own group in the first cgroup v1 hierarchy of /proc/self/cgroup's text; undefined on v2. */
export function ownProcs(text: string, root = '/sys/fs/cgroup'): string | undefined {
  for (const line of text.split('\n')) {
    const [, names = '', place = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const name = names.split(',')[0] ?? '';
    if (name !== '' && !name.startsWith('name=')) return join(root, names, place, 'cgroup.procs');
  }
  return undefined;
}

/** A function that starts the wait; it answers at once and does nothing where the engine may not write its group. */
export function createAnticipation(): () => void {
  let file: Promise<string | undefined> | undefined;
  let running = false;
  const begin = async (): Promise<void> => {
    file ??= readFile('/proc/self/cgroup', 'utf8').then((text) => ownProcs(text));
    const path = await file;
    if (path !== undefined) await writeFile(path, '0');
  };
  return () => {
    if (running) return;
    running = true;
    begin()
      // Not ours to write, or no hierarchy there: there is nothing to hide then.
      .catch(() => (file = Promise.resolve(undefined)))
      .finally(() => (running = false));
  };
}

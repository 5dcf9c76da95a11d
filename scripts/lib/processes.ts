// Finds and ends the processes that belong to a private folder, by what /proc says of them. It must never end a process of another folder.
import { globSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FoundProcess {
  readonly pid: number;
  readonly line: string;
}

/** The processes whose command line, working directory's environment or HOME names the folder; not this one and no zombies. */
export function processesOf(dir: string): FoundProcess[] {
  return globSync('/proc/[0-9]*').flatMap((place) => {
    const pid = Number(place.slice('/proc/'.length));
    if (pid === process.pid) return [];
    try {
      if (/^State:\s+[ZX]/m.test(readFileSync(`${place}/status`, 'utf8'))) return [];
      const line = readFileSync(`${place}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const home = readFileSync(`${place}/environ`, 'utf8').split('\0').includes(`HOME=${dir}`);
      return home || line.includes(`${dir}/`) ? [{ pid, line }] : [];
    } catch {
      // It ended while it was looked at, or belongs to somebody else.
      return [];
    }
  });
}

/** Ends the folder's processes at once and waits until they are gone. Throws when some stay for ten seconds. */
export async function endProcesses(dir: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const left = processesOf(dir);
    if (left.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`processes of ${dir} do not end: ${left.map(({ line }) => line).join(', ')}`);
    for (const { pid } of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await sleep(50);
  }
}

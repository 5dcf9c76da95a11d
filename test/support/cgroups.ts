/** The control groups of cgroup v1 as the tests see them from the host: a container's files, and directories delegated to a test user. It limits nothing itself. */

import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';

/** The hierarchies of v1 that this machine has mounted, by the folder's name. */
export function hierarchies(): string[] {
  return readdirSync(MOUNT).filter(
    (name) => !['systemd', 'unified'].includes(name) && existsSync(join(MOUNT, name, 'tasks')),
  );
}

/** The directory of a process in a v1 hierarchy. Throws where the hierarchy is not there. */
function groupOf(pid: number | 'self', controller: string): string {
  const line = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .find((text) => text.split(':')[1]?.split(',').includes(controller));
  if (line === undefined) throw new Error(`no cgroup v1 hierarchy of ${controller}`);
  return join(MOUNT, controller, line.split(':').slice(2).join(':'));
}

/** The trimmed text of a control file of a process's group. */
export function controlFile(pid: number, controller: string, file: string): string {
  return readFileSync(join(groupOf(pid, controller), file), 'utf8').trim();
}

export interface Delegation {
  /** Gives every directory to the user and moves this process there, so that what it starts begins there. */
  enter(uid: number): void;
  /** Moves this process back and removes the directories. Throws when something is left in them. */
  end(): void;
}

/** Directories of the test's own in the named hierarchies; other hierarchies stay as they are. */
export function delegate(controllers: readonly string[]): Delegation {
  const name = `pinnace-test-${process.pid}`;
  const places = controllers.map((controller) => {
    const home = groupOf('self', controller);
    return { home, dir: join(home, name), cpuset: controller === 'cpuset' };
  });
  const move = (dir: string): void => writeFileSync(join(dir, 'cgroup.procs'), String(process.pid));
  return {
    enter: (uid) => {
      for (const { home, dir, cpuset } of places) {
        mkdirSync(dir);
        for (const file of cpuset ? ['cpuset.cpus', 'cpuset.mems'] : [])
          writeFileSync(join(dir, file), readFileSync(join(home, file)));
        chownSync(dir, uid, uid);
        for (const file of readdirSync(dir)) chownSync(join(dir, file), uid, uid);
        move(dir);
      }
    },
    end: () => {
      for (const { home } of places) move(home);
      for (const { dir } of places) removeEmpty(dir);
    },
  };
}

/** The engine leaves the folder of its containers' groups; nothing may be in it. */
function removeEmpty(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) rmdirSync(join(dir, entry.name));
  rmdirSync(dir);
}

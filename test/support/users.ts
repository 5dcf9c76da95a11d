/** Unprivileged users for the tests: one with a range of subordinate ids, one without. Made and removed by the suite that asks. */

import { spawnSync } from 'node:child_process';
import { appendFileSync, chownSync, mkdirSync, readFileSync, rmSync } from 'node:fs';

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  /** Command-line words that run what follows as the user, with a clean environment plus `env`. */
  readonly as: (env: Readonly<Record<string, string>>) => string[];
  remove(): void;
}

const FIRST_UID = 23_000;
/** How many users there may be; their ranges end below the largest id. */
const USERS = 10_000;
const FIRST_SUBID = 2_000_000_000;
const RANGE = 65_536;

/** Makes a user; `subids` gives it a range in /etc/subuid and /etc/subgid. Needs root. */
export function makeUser(options: { subids: 'range' | 'none' }): TestUser {
  const uid = freeUid();
  const name = `pinnace-${options.subids === 'range' ? 'r' : 's'}${String(uid - FIRST_UID)}`;
  const home = `/tmp/${name}`;
  patiently('groupadd', ['-f', '-g', String(uid), name]);
  const ids = ['-u', String(uid), '-g', String(uid)];
  const none = ['-K', 'SUB_UID_COUNT=0', '-K', 'SUB_GID_COUNT=0'];
  patiently('useradd', ['-M', '-d', home, ...ids, '-s', '/bin/sh', ...none, name]);
  const range = `${name}:${String(FIRST_SUBID + (uid - FIRST_UID) * RANGE)}:${String(RANGE)}\n`;
  // One write at the end: another suite may add its own user in the same moment.
  if (options.subids === 'range')
    for (const file of ['/etc/subuid', '/etc/subgid']) appendFileSync(file, range);
  mkdirSync(home, { mode: 0o700, recursive: true });
  chownSync(home, uid, uid);
  return {
    name,
    uid,
    home,
    as: (env) => [
      'setpriv',
      '--reuid',
      String(uid),
      '--regid',
      String(uid),
      '--init-groups',
      '--inh-caps=-all',
      'env',
      '-i',
      `HOME=${home}`,
      `USER=${name}`,
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...Object.entries(env).map(([key, value]) => `${key}=${value}`),
    ],
    remove: () => {
      // It takes the subordinate ids along (userdel(8)).
      patiently('userdel', [name]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** An id that no user of this machine has, also none that a killed suite left. */
function freeUid(): number {
  const taken = new Set(
    ['/etc/passwd', '/etc/group'].flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .map((line) => Number(line.split(':')[2])),
    ),
  );
  let uid = FIRST_UID + (process.pid % USERS);
  while (taken.has(uid)) uid = FIRST_UID + ((uid - FIRST_UID + 1) % USERS);
  return uid;
}

/** Runs a command of the user database; waits while another holds its lock or a last process of the user ends. */
function patiently(program: string, args: readonly string[]): void {
  for (let tries = 0; ; tries++) {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status === 0) return;
    if (tries >= 150 || !/lock|try again|currently used/i.test(stderr))
      throw new Error(`${program} ${args.join(' ')}: status ${String(status)} ${stderr}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

/** Unprivileged users for the tests: one with a range of subordinate ids, one without. Made and removed by the suite that asks. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync, chownSync } from 'node:fs';

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  /** Command-line words that run what follows as the user, with a clean environment plus `env`. */
  readonly as: (env: Readonly<Record<string, string>>) => string[];
  remove(): void;
}

const FIRST_UID = 23_000;
const RANGE = 65_536;

/** Makes a user; `subids` gives it a range in /etc/subuid and /etc/subgid. Needs root. */
export function makeUser(options: { subids: 'range' | 'none' }): TestUser {
  const uid = FIRST_UID + (process.pid % 10_000);
  const name = `pinnace-${options.subids === 'range' ? 'r' : 's'}${process.pid % 10_000}`;
  const home = `/tmp/${name}`;
  execFileSync('groupadd', ['-f', '-g', String(uid), name]);
  execFileSync('useradd', [
    '-M',
    '-d',
    home,
    '-u',
    String(uid),
    '-g',
    String(uid),
    '-s',
    '/bin/sh',
    '-K',
    'SUB_UID_COUNT=0',
    '-K',
    'SUB_GID_COUNT=0',
    name,
  ]);
  for (const file of ['/etc/subuid', '/etc/subgid']) {
    const others = withoutUser(file, name);
    const own =
      options.subids === 'range'
        ? `${name}:${2_000_000_000 + (process.pid % 1000) * RANGE}:${RANGE}\n`
        : '';
    writeFileSync(file, others + own);
  }
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
      execFileSync('userdel', [name], { stdio: 'ignore' });
      for (const file of ['/etc/subuid', '/etc/subgid'])
        writeFileSync(file, withoutUser(file, name));
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function withoutUser(file: string, name: string): string {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return '';
  }
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(`${name}:`))
    .map((line) => `${line}\n`)
    .join('');
}

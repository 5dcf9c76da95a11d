/**
 * Finds the best shell of a container by looking at its files, without running anything in it: the user's own from
 * /etc/passwd where it is there, then the usual ones. Works through the archive endpoints, so with every engine.
 */
import type { Client } from '../../client/api/client.ts';
import { entries } from '../../client/files/tar.ts';
import { kindOf } from '../../lib/errors.ts';

/** What looks at a container's files. */
export type Files = Pick<Client['containers'], 'archiveGet' | 'archiveStat'>;

/** In the order of preference; where two paths lead to one program the first that is there wins. */
const SHELLS = [
  '/bin/bash',
  '/usr/bin/bash',
  '/usr/local/bin/bash',
  '/bin/zsh',
  '/usr/bin/zsh',
  '/usr/bin/fish',
  '/bin/ash',
  '/bin/sh',
  '/usr/bin/sh',
  '/busybox/sh',
] as const;

/** Shells that are there to refuse people. */
const REFUSING = /\/(?:nologin|false|true|sync|halt|shutdown)$/;

/** Go's os.FileMode, as the stat header carries it. */
const DIRECTORY = 2 ** 31;
const SYMLINK = 2 ** 27;
/** Devices, pipes, sockets. */
const SPECIAL = [2 ** 26, 2 ** 25, 2 ** 24, 2 ** 21, 2 ** 19] as const;
const MAX_LINKS = 8;
const PASSWD_LIMIT = 1024 * 1024;

/** Path of the shell for `user` (a name or an id, with or without a group; empty: root), or undefined where there is none. */
export async function chooseShell(
  files: Files,
  container: string,
  user: string,
): Promise<string | undefined> {
  const own = shellOf(await readPasswd(files, container), user);
  const candidates = own === undefined || REFUSING.test(own) ? SHELLS : [own, ...SHELLS];
  const there = await Promise.all(candidates.map((path) => isProgram(files, container, path)));
  return candidates.find((_, index) => there[index]);
}

/** The last field of the user's line in /etc/passwd, where it is an absolute path. */
export function shellOf(passwd: string, user: string): string | undefined {
  const [who = ''] = user.split(':');
  const wanted = who === '' ? '0' : who;
  const column = /^\d+$/.test(wanted) ? 2 : 0;
  const line = passwd
    .split('\n')
    .map((text) => text.split(':'))
    .find((fields) => fields[column] === wanted);
  const shell = line?.[6]?.trim();
  return shell?.startsWith('/') === true ? shell : undefined;
}

async function readPasswd(files: Files, container: string): Promise<string> {
  try {
    const { tar } = await files.archiveGet(container, '/etc/passwd');
    let text = '';
    for await (const { header, content } of entries(tar)) {
      if (header.type !== 'file') continue;
      for await (const chunk of content)
        if (text.length < PASSWD_LIMIT) text += Buffer.from(chunk).toString('latin1');
    }
    return text;
  } catch (error) {
    // An image without the file has no names: its user is a number and has no shell of its own.
    if (kindOf(error) === 'not-found') return '';
    throw error;
  }
}

/** Whether the path leads, through links, to a file that somebody may execute. */
async function isProgram(files: Files, container: string, path: string): Promise<boolean> {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const stat = await statOf(files, container, at);
    if (stat === undefined) return false;
    if (hasBit(stat.mode, SYMLINK)) {
      // Engines tell where a link leads inside the container; some tell it as it was written.
      if (stat.linkTarget === '' || stat.linkTarget === at) return false;
      at = stat.linkTarget.startsWith('/')
        ? stat.linkTarget
        : new URL(stat.linkTarget, `file://${encodeURI(at)}`).pathname;
      continue;
    }
    const special = [DIRECTORY, ...SPECIAL].some((bit) => hasBit(stat.mode, bit));
    return !special && (stat.mode & 0o111) !== 0;
  }
  return false;
}

/** Without the operators on 32 bits: the highest bit is a folder's. */
function hasBit(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

async function statOf(
  files: Files,
  container: string,
  path: string,
): Promise<{ readonly mode: number; readonly linkTarget: string } | undefined> {
  try {
    return await files.archiveStat(container, path);
  } catch (error) {
    // Docker answers 404, and 400 for a path through something that is no folder.
    if (kindOf(error) === 'not-found' || kindOf(error) === 'invalid') return undefined;
    throw error;
  }
}

/** Where an engine's roots, socket and log lie for a user. It makes nothing but a private folder beneath /tmp. */

import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { EngineError } from '../../lib/errors.ts';

export interface RootChoice {
  /** Default: process.env. */
  readonly env?: NodeJS.ProcessEnv;
  readonly dataRoot?: string;
  readonly runRoot?: string;
}

/** All absolute. */
export interface EnginePaths {
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly socket: string;
  readonly log: string;
}

/** sockaddr_un has 108 bytes with the closing NUL (unix(7)). */
const MAX_SOCKET_PATH = 107;

/**
 * The paths by choice, then PINNACE_DATA_ROOT and PINNACE_RUN_ROOT, then /var/lib and /run for root, then the
 * XDG folders. Throws EngineError (invalid) when the socket's path would be too long, (forbidden) when the
 * fallback folder in /tmp belongs to somebody else.
 */
export function enginePaths(choice: RootChoice = {}): EnginePaths {
  const env = choice.env ?? process.env;
  const uid = process.getuid?.() ?? 0;
  const dataRoot = resolve(
    choice.dataRoot ?? text(env['PINNACE_DATA_ROOT']) ?? defaultDataRoot(env, uid),
  );
  const runRoot = resolve(
    choice.runRoot ?? text(env['PINNACE_RUN_ROOT']) ?? defaultRunRoot(env, uid),
  );
  const socket = join(runRoot, 'engine.sock');
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) {
    throw new EngineError(
      'invalid',
      `${socket} is too long for a socket: choose a run root with a shorter path (--run-root)`,
    );
  }
  return { dataRoot, runRoot, socket, log: join(dataRoot, 'engine.log') };
}

function defaultDataRoot(env: NodeJS.ProcessEnv, uid: number): string {
  if (uid === 0) return '/var/lib/pinnace';
  return join(
    text(env['XDG_DATA_HOME']) ?? join(text(env['HOME']) ?? homedir(), '.local', 'share'),
    'pinnace',
  );
}

function defaultRunRoot(env: NodeJS.ProcessEnv, uid: number): string {
  if (uid === 0) return '/run/pinnace';
  const given = text(env['XDG_RUNTIME_DIR']);
  if (given !== undefined) return join(given, 'pinnace');
  const session = `/run/user/${uid}`;
  if (isOwned(session, uid)) return join(session, 'pinnace');
  return privateFolder(`/tmp/pinnace-${uid}`, uid);
}

/** Anyone may make names in /tmp, so the folder must really be ours and closed to others. */
function privateFolder(path: string, uid: number): string {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const facts = lstatSync(path);
  if (!facts.isDirectory() || facts.uid !== uid || (facts.mode & 0o077) !== 0) {
    throw new EngineError(
      'forbidden',
      `${path} is not a private folder of user ${uid}: remove it, or set XDG_RUNTIME_DIR or PINNACE_RUN_ROOT`,
      { path },
    );
  }
  return path;
}

function isOwned(path: string, uid: number): boolean {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts?.isDirectory() === true && facts.uid === uid;
}

function text(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

/**
 * Finds ShellCheck and runs it on one script: the script on stdin, nothing of the workspace read or run, bounded in time
 * and output. The only place of the language server that starts a process.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, parse } from 'node:path';
import { type Comment, readComments } from './comments.ts';
import type { Input } from './input.ts';

/** Milliseconds for one script, and bytes that it may answer. */
const TIME_LIMIT = 5000;
const OUTPUT_LIMIT = 4 * 1024 * 1024;

/** Files that are sourced are not in the context of the check, and a shebang stands behind our first line. */
const EXCLUDED = 'SC1090,SC1091,SC1128,SC2187';

/** The program of a setting: '' looks in the PATH, `off` gives none, else an absolute path. */
export function findShellCheck(setting: string, env: NodeJS.ProcessEnv): string | undefined {
  if (setting === 'off') return undefined;
  if (setting !== '') return isAbsolute(setting) && isProgram(setting) ? setting : undefined;
  const name = process.platform === 'win32' ? 'shellcheck.exe' : 'shellcheck';
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  return folders.map((folder) => join(folder, name)).find((path) => isProgram(path));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // Not there, or not for us.
  }
}

/** What ShellCheck says of a script. Rejects with a message for the log; an aborted signal kills it. */
export function runShellCheck(
  program: string,
  { dialect, text }: Input,
  signal: AbortSignal,
): Promise<readonly Comment[]> {
  const args = ['--norc', '--format=json1', `--shell=${dialect}`, `--exclude=${EXCLUDED}`, '-'];
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT)]);
    const child = spawn(program, args, {
      // A folder without anything of the workspace.
      cwd: parse(program).root,
      env: { LC_ALL: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'ignore'],
      signal: limit,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= OUTPUT_LIMIT) chunks.push(chunk);
      else end();
    });
    // What it started itself may hold its output open.
    const end = (): void => {
      child.kill('SIGKILL');
      child.stdout.destroy();
    };
    limit.addEventListener('abort', end, { once: true });
    // One that ends without reading has said why with its status.
    child.stdin.on('error', () => child.stdin.destroy());
    child.on('error', (error) =>
      reject(limit.aborted && !signal.aborted ? new Error(`${program} takes too long`) : error),
    );
    child.on('close', (status) => {
      const comments = readComments(Buffer.concat(chunks).toString('utf8'));
      // 0: nothing found, 1: something found.
      if (comments !== undefined && (status === 0 || status === 1)) resolve(comments);
      else
        reject(
          new Error(
            `${program} ended with ${String(status)}; 0.7 or newer is needed (--norc, json1)`,
          ),
        );
    });
    child.stdin.end(text);
  });
}

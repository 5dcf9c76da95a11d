/**
 * Finds ShellCheck and runs it: nothing of the workspace read or run, bounded in time and output. One script goes in on
 * stdin; many lie as files in a folder that is made for them.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, parse } from 'node:path';
import { type Comment, readComments, readCommentsByFile } from './comments.ts';
import type { Input } from './input.ts';

/** Milliseconds for one script, for each more, and bytes that it may answer. */
const TIME_LIMIT = 5000;
const TIME_MORE = 200;
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
export async function runShellCheck(
  program: string,
  { dialect, text }: Input,
  signal: AbortSignal,
): Promise<readonly Comment[]> {
  // A folder without anything of the workspace.
  const folder = parse(program).root;
  const run = { dialect, names: ['-'], text, folder, limit: TIME_LIMIT };
  const { output, status } = await execute(program, run, signal);
  return checked(readComments(output), program, status);
}

/** What ShellCheck says of the files of a folder, all in one language, by name. Rejects as `runShellCheck` does. */
export async function runShellCheckOn(
  program: string,
  files: {
    readonly folder: string;
    readonly names: readonly string[];
    readonly dialect: Input['dialect'];
  },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Comment[]>> {
  const limit = TIME_LIMIT + TIME_MORE * files.names.length;
  const { output, status } = await execute(program, { ...files, text: '', limit }, signal);
  return checked(readCommentsByFile(output), program, status);
}

/** 0: nothing found, 1: something found. */
function checked<T>(answer: T | undefined, program: string, status: number | null): T {
  if (answer !== undefined && (status === 0 || status === 1)) return answer;
  throw new Error(
    `${program} ended with ${String(status)}; 0.7 or newer is needed (--norc, json1)`,
  );
}

interface Run {
  readonly dialect: Input['dialect'];
  readonly names: readonly string[];
  /** For stdin. */
  readonly text: string;
  readonly folder: string;
  /** Milliseconds. */
  readonly limit: number;
}

function execute(
  program: string,
  { dialect, names, text, folder, limit: time }: Run,
  signal: AbortSignal,
): Promise<{ readonly output: string; readonly status: number | null }> {
  const options = ['--norc', '--format=json1', `--shell=${dialect}`, `--exclude=${EXCLUDED}`];
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(time)]);
    const child = spawn(program, [...options, ...names], {
      cwd: folder,
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
    child.on('close', (status) =>
      resolve({ output: Buffer.concat(chunks).toString('utf8'), status }),
    );
    child.stdin.end(text);
  });
}

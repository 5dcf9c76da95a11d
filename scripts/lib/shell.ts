// Running the tools of the toolchain: sequential and parallel commands with their times. It must never hide a failure.
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's top folder. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Outcome {
  readonly status: number;
  /** Standard output, when collected. */
  readonly output: string;
  /** Standard error, when collected. */
  readonly errors: string;
  readonly seconds: number;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to our own; undefined takes a variable away. */
  readonly env?: Record<string, string | undefined>;
  /** inherit: straight to the terminal; collect: kept for the caller. */
  readonly output?: 'inherit' | 'collect';
  readonly input?: string;
}

/** Runs one command to its end. Never throws for a failing command; throws when it cannot be started. */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const started = performance.now();
  const collect = options.output === 'collect';
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: [
      options.input === undefined ? 'ignore' : 'pipe',
      collect ? 'pipe' : 'inherit',
      collect ? 'pipe' : 'inherit',
    ],
  });
  child.stdin?.end(options.input);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`cannot run ${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      const status = code ?? (signal === null ? 1 : 128);
      resolve({
        status,
        output: Buffer.concat(out).toString(),
        errors: Buffer.concat(err).toString(),
        seconds: (performance.now() - started) / 1000,
      });
    });
  });
}

/** Runs a command and stops the task with its output when it fails. */
export async function must(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const outcome = await run(command, args, options);
  if (outcome.status !== 0) {
    process.stderr.write(outcome.output + outcome.errors);
    throw new Error(
      `${command} ${args.slice(0, 4).join(' ')} failed with status ${outcome.status}`,
    );
  }
  return outcome.output;
}

/** Whether a program is on the PATH. */
export async function has(program: string): Promise<boolean> {
  return (await run('sh', ['-c', `command -v ${program}`], { output: 'collect' })).status === 0;
}

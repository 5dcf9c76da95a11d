/** Runs the extension's own `pinnace` command (out/cli.js) on the editor's Node and gives its answer. Knows no editor. */
import { execFile } from 'node:child_process';
import { EngineError } from '../../lib/errors.ts';

/** How the command is run; set up once by the composition root. */
export interface CliSetup {
  /** The bundle's path. */
  readonly program: string;
  /** The Node to run it on: the editor's own executable. */
  readonly node: string;
  /** Asked for each run, since settings change. */
  readonly environment: () => Readonly<Record<string, string>>;
}

export interface CliAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  /** Runs the command to its end. Throws EngineError (unavailable) when it cannot be run, (cancelled) on abort. */
  run(args: readonly string[], signal?: AbortSignal): Promise<CliAnswer>;
}

/** Output above this is no answer of ours. */
const OUTPUT_LIMIT = 4 * 1024 * 1024;

export function createCli(setup: CliSetup): Cli {
  return { run: (args, signal) => runCommand(setup, args, signal) };
}

function runCommand(
  { program, node, environment }: CliSetup,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<CliAnswer> {
  const env = { ...inherited(), ...environment(), ELECTRON_RUN_AS_NODE: '1' };
  const flags = ['--disable-warning=ExperimentalWarning', program, ...args];
  const options = { env, maxBuffer: OUTPUT_LIMIT, windowsHide: true, ...(signal && { signal }) };
  return new Promise((resolve, reject) => {
    const child = execFile(node, flags, options, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ status: error.code, stdout, stderr });
      else reject(failure(error, { program, aborted: signal?.aborted === true }));
    });
    child.stdin?.end();
  });
}

/** The editor's environment without what would change how Node runs our bundle. */
function inherited(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env['NODE_OPTIONS'];
  return env;
}

function failure(
  cause: Error,
  { program, aborted }: { program: string; aborted: boolean },
): EngineError {
  if (aborted) return new EngineError('cancelled', 'the command was cancelled', { cause });
  const message = `${program} could not be run: ${cause.message}; reinstall the extension if it is missing`;
  return new EngineError('unavailable', message, { cause, path: program });
}

/** A notification shows no more than this. */
const COMPLAINT_LENGTH = 400;

/** What a failed command said, short enough for a notification: without the prefix, of a stack trace only the error. */
export function complaintOf({ status, stderr, stdout }: CliAnswer): string {
  const text = (stderr.trim() === '' ? stdout : stderr).trim().replace(/^pinnace: /, '');
  if (text === '') return `the pinnace command ended with status ${String(status)}`;
  const thrown = /^\s+at .*:\d+:\d+\)?$/m.test(text)
    ? /^\w*Error\b.*$/m.exec(text)?.[0]
    : undefined;
  const said = thrown ?? text;
  return said.length > COMPLAINT_LENGTH ? `${said.slice(0, COMPLAINT_LENGTH)}…` : said;
}

/** A real engine with roots of its own, in any mode, and the real docker command line against it. What it starts, it ends; what it leaves, it tells. */

import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeUser, type TestUser } from './users.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

export type EngineMode = 'system' | 'rootless' | 'single-id';

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds; then the command is killed and its status is 124. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** Runs a command to its end and never rejects for its status. */
export function command(words: readonly string[], options: CommandOptions = {}): Promise<Result> {
  const [program = '', ...args] = words;
  const env = { ...process.env, ...options.env };
  const child = spawn(program, args, { cwd: options.cwd ?? '/', env, stdio: 'pipe' });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, options.timeout ?? 60_000);
  options.signal?.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({
        status: late ? 124 : (code ?? 128),
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      });
    });
  });
}

export interface TestEngine {
  readonly mode: EngineMode;
  /** unix://… */
  readonly address: string;
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly user: TestUser | undefined;
  /** The docker command line; throws on a non-zero status and answers trimmed standard output. */
  docker(...args: string[]): Promise<string>;
  /** The same without judging the status. */
  tryDocker(args: readonly string[], options?: CommandOptions): Promise<Result>;
  /** The pinnace command as the engine's user. */
  pinnace(...args: string[]): Promise<Result>;
  /** The pid of the engine that serves now. */
  pid(): Promise<number>;
  /** Starts it again after it was stopped or killed. */
  start(): Promise<void>;
  /** Ends everything and answers what was left behind: processes, mounts, cgroups, files. */
  close(): Promise<string[]>;
}

/** How long the last processes of an engine may take to be gone. */
const LEAVE_MS = 15_000;

let serial = 0;

/** What a suite does to an engine's home before the engine starts; the answer undoes it once the engine is gone. */
export type Prepare = (user: TestUser | undefined, home: string) => (() => void) | undefined;

/** Starts an engine; `env` goes to the engine. `prepare` runs once its user exists, before it starts. Needs root, to become any user. */
export async function startTestEngine(
  mode: EngineMode,
  env: Readonly<Record<string, string>> = {},
  prepare: Prepare = () => undefined,
): Promise<TestEngine> {
  serial += 1;
  const base = mkdtempSync('/tmp/pinnace-test-');
  const user =
    mode === 'system' ? undefined : makeUser({ subids: mode === 'rootless' ? 'range' : 'none' });
  const home = user?.home ?? base;
  const dataRoot = join(home, 'data');
  const runRoot = join(home, `run${serial}`);
  const program = user === undefined ? join(ROOT, 'bin', 'pinnace') : installFor(base);
  const own = {
    ...env,
    PINNACE_DATA_ROOT: dataRoot,
    PINNACE_RUN_ROOT: runRoot,
    PINNACE_NODE: nodeFor(user, base),
    DOCKER_CONFIG: join(home, '.docker'),
  };
  const pinnace = (...args: string[]): Promise<Result> =>
    user === undefined
      ? command([program, ...args], { env: own })
      : command([...user.as(own), program, ...args]);
  const address = `unix://${join(runRoot, 'engine.sock')}`;
  const tryDocker = (args: readonly string[], options: CommandOptions = {}): Promise<Result> =>
    command(['docker', ...args], {
      ...options,
      env: {
        DOCKER_HOST: address,
        DOCKER_BUILDKIT: '0',
        DOCKER_CONFIG: join(base, '.docker'),
        ...options.env,
      },
    });
  const start = async (): Promise<void> => {
    const started = await pinnace('engine', 'start', '--mode', mode);
    if (started.status !== 0) throw new Error(`the engine did not start: ${started.stderr}`);
  };
  const undo = prepare(user, home);
  await start();
  return {
    mode,
    address,
    dataRoot,
    runRoot,
    user,
    pinnace,
    tryDocker,
    start,
    docker: async (...args) => {
      const result = await tryDocker(args);
      if (result.status !== 0)
        throw new Error(
          `docker ${args.join(' ')}: status ${result.status}\n${result.stdout}${result.stderr}`,
        );
      return result.stdout.trim();
    },
    pid: async () =>
      (JSON.parse((await pinnace('engine', 'status', '--json')).stdout) as { pid: number }).pid,
    close: async () => {
      const purged = await pinnace('engine', 'purge', '--yes');
      const left = await settledLeftovers([dataRoot, runRoot], user);
      if (purged.status !== 0) left.push(`purge failed: ${purged.stderr}`);
      undo?.();
      rmSync(base, { recursive: true, force: true });
      user?.remove();
      return left;
    },
  };
}

/** A copy of the bundles that another user can read, wherever the checkout lies. */
function installFor(base: string): string {
  chmodSync(base, 0o755);
  const target = join(base, 'pinnace');
  mkdirSync(target, { mode: 0o755 });
  for (const part of ['bin', 'out'])
    cpSync(join(ROOT, part), join(target, part), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(target, 'package.json'));
  return join(target, 'bin', 'pinnace');
}

function nodeFor(user: TestUser | undefined, base: string): string {
  if (user === undefined) return process.execPath;
  const node = join(base, 'node');
  cpSync(process.execPath, node);
  return node;
}

/** What is left once everything that is on its way out had the time to go: a loaded machine reaps late. */
async function settledLeftovers(
  roots: readonly string[],
  user: TestUser | undefined,
): Promise<string[]> {
  const deadline = performance.now() + LEAVE_MS;
  for (;;) {
    const left = leftovers(roots, user);
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(100);
  }
}

/** Processes, mounts, cgroups and files that still name one of the roots or belong to the user. */
function leftovers(roots: readonly string[], user: TestUser | undefined): string[] {
  const left = roots.filter((root) => existsSync(root)).map((root) => `folder ${root}`);
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    if (roots.some((root) => line.includes(root))) left.push(`mount ${line}`);
  }
  for (const dir of globSync('/proc/[0-9]*')) {
    const process = describeProcess(dir, user?.uid);
    if (
      process !== undefined &&
      (process.owned || roots.some((root) => process.text.includes(root)))
    )
      left.push(`process ${process.text}`);
  }
  return left;
}

function describeProcess(
  dir: string,
  uid: number | undefined,
): { text: string; owned: boolean } | undefined {
  try {
    const status = readFileSync(join(dir, 'status'), 'utf8');
    if (/^State:\s+[ZX]/m.test(status)) return undefined;
    const owner = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
    const line = readFileSync(join(dir, 'cmdline'), 'utf8').replaceAll('\0', ' ');
    return { text: `${dir} ${line}`, owned: owner === uid };
  } catch {
    return undefined;
  }
}

/** Finds the engine of a user's roots or starts it, and waits until it serves. Two starters at once get one engine: the engine's own lock sees to that. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { PinnaceInfo } from '../../lib/api/system.ts';
import { createClient } from '../api/client.ts';
import { enginePaths } from './paths.ts';
import type { EnginePaths, RootChoice } from './paths.ts';
import { engineProgram, nativePath, nodeCommand } from './program.ts';

export interface StartOptions extends RootChoice {
  /** Default: auto. */
  readonly mode?: 'auto' | 'system' | 'rootless' | 'single-id';
  /** The engine stays this process' child and writes to its terminal; SIGTERM and SIGINT are handed on to it. */
  readonly foreground?: boolean;
  /** Seconds without work and connections after which it ends; 0: never. Default 300, in the foreground never. */
  readonly idleExit?: number;
  /** Containers may reach the host's loopback at their gateway (`host-gateway`). Default: as PINNACE_HOST_LOOPBACK=1 says. */
  readonly hostLoopback?: boolean;
  readonly signal?: AbortSignal;
}

export interface StartedEngine {
  readonly socket: string;
  readonly pid: number;
  readonly mode: PinnaceInfo['mode'];
  /** Whether this call started it. */
  readonly started: boolean;
}

const READY_WITHIN_MS = 10_000;
const POLL_MS = 10;
const LOG_TAIL = 4096;

/** The engine that serves the roots. Throws EngineError (unavailable) with the end of its log when it does not come up. */
export async function startEngine(options: StartOptions = {}): Promise<StartedEngine> {
  const paths = enginePaths(options);
  const running = await servingEngine(paths.socket, options.signal);
  if (running !== undefined) {
    if (options.foreground === true) {
      throw new EngineError(
        'conflict',
        `an engine serves unix://${paths.socket} already (process ${running.pid})`,
      );
    }
    return { socket: paths.socket, pid: running.pid, mode: running.mode, started: false };
  }
  const env = options.env ?? process.env;
  const shim = livingShim(paths.runRoot);
  const log = openLog(paths);
  const from = logSize(paths.log);
  try {
    const child = launch(commandLine(paths, options, env, shim), { env, log: log.fd, options });
    return await untilReady(child, paths, {
      from,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } finally {
    closeSync(log.fd);
  }
}

/** What the engine behind a socket says of itself; undefined when nothing answers there. */
export async function servingEngine(
  socketPath: string,
  signal?: AbortSignal,
): Promise<PinnaceInfo | undefined> {
  const client = createClient({ socketPath });
  try {
    return await client.system.pinnaceInfo(signal === undefined ? {} : { signal });
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'unavailable') return undefined;
    throw error;
  } finally {
    client.close();
  }
}

function commandLine(
  paths: EnginePaths,
  options: StartOptions,
  env: NodeJS.ProcessEnv,
  shim: number | undefined,
): string[] {
  const { dataRoot, runRoot } = paths;
  const roots = ['--data-root', dataRoot, '--run-root', runRoot];
  const idle = options.idleExit ?? (options.foreground === true ? 0 : 300);
  return [
    nativePath(env),
    'enter',
    ...roots,
    ...(options.mode === undefined ? [] : ['--mode', options.mode]),
    ...(shim === undefined ? [] : ['--join', String(shim)]),
    '--',
    ...nodeCommand().command,
    engineProgram(),
    ...roots,
    '--idle-exit',
    String(idle),
    ...(options.foreground === true ? ['--foreground'] : []),
  ];
}

function launch(
  command: string[],
  how: { readonly env: NodeJS.ProcessEnv; readonly log: number; readonly options: StartOptions },
): ChildProcess {
  const [program = '', ...args] = command;
  const foreground = how.options.foreground === true;
  const child = spawn(program, args, {
    detached: !foreground,
    cwd: '/',
    env: {
      ...how.env,
      ...nodeCommand().env,
      PINNACE_NATIVE: program,
      ...(how.options.hostLoopback === true ? { PINNACE_HOST_LOOPBACK: '1' } : {}),
    },
    stdio: ['ignore', foreground ? 'inherit' : how.log, foreground ? 'inherit' : how.log],
  });
  if (foreground) handOnSignals(child);
  return child;
}

function handOnSignals(child: ChildProcess): void {
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    const forward = (): void => void child.kill('SIGTERM');
    process.on(name, forward);
    child.once('exit', () => process.off(name, forward));
  }
}

async function untilReady(
  child: ChildProcess,
  paths: EnginePaths,
  how: { readonly from: number; readonly signal?: AbortSignal },
): Promise<StartedEngine> {
  const end: { status?: string } = {};
  child.once('error', (error) => (end.status = messageOf(error)));
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      end.status = signal ?? `status ${String(code)}`;
      resolve();
    });
  });
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const info = await servingEngine(paths.socket, how.signal);
    if (info !== undefined) {
      const started = info.pid === child.pid;
      // A child that came too late must not take over when the other engine ends.
      if (!started && end.status === undefined) {
        child.kill('SIGTERM');
        await exited;
      }
      child.unref();
      return { socket: paths.socket, pid: info.pid, mode: info.mode, started };
    }
    // Status 0 before it serves: another engine holds the lock and will serve soon.
    if (end.status !== undefined && end.status !== 'status 0') {
      throw new EngineError(
        'unavailable',
        `the engine did not start (${end.status})${logTail(paths.log, how.from)}`,
      );
    }
    if (performance.now() > deadline) {
      child.kill('SIGTERM');
      throw new EngineError(
        'unavailable',
        `the engine did not answer within ${READY_WITHIN_MS / 1000} s${logTail(paths.log, how.from)}`,
      );
    }
    await delay(POLL_MS, undefined, how.signal === undefined ? {} : { signal: how.signal });
  }
}

/** A process whose user and mount namespaces a restarted engine must share to govern its old containers. */
function livingShim(runRoot: string): number | undefined {
  const shims = join(runRoot, 'shims');
  let names: string[];
  try {
    names = readdirSync(shims);
  } catch {
    return undefined;
  }
  for (const name of names) {
    try {
      const facts = JSON.parse(readFileSync(join(shims, name, 'shim.json'), 'utf8')) as {
        shimPid?: unknown;
        shimStartTime?: unknown;
      };
      if (typeof facts.shimPid === 'number' && startTime(facts.shimPid) === facts.shimStartTime)
        return facts.shimPid;
    } catch {
      // A shim that ends right now, or never came up, is no one to join.
    }
  }
  return undefined;
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)); undefined for a process that is gone or a zombie. */
export function startTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

function openLog(paths: EnginePaths): { readonly fd: number } {
  try {
    mkdirSync(paths.dataRoot, { recursive: true, mode: 0o700 });
    return { fd: openSync(paths.log, 'a', 0o600) };
  } catch (cause) {
    throw new EngineError(
      'unavailable',
      `the data root ${paths.dataRoot} cannot be used: ${messageOf(cause)}`,
      { cause, path: paths.dataRoot },
    );
  }
}

function logSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The end of what the log got since `from`, on lines of its own. */
function logTail(path: string, from: number): string {
  const text = Buffer.from(readLog(path));
  const fresh = (text.length < from ? text : text.subarray(from)).toString('utf8').trimEnd();
  if (fresh === '') return `; its log is ${path}`;
  const tail = fresh.length > LOG_TAIL ? `…${fresh.slice(-LOG_TAIL)}` : fresh;
  return `:\n${tail}`;
}

function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

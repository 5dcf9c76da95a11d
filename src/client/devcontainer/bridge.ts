/**
 * The bridge of an open dev container: a process of its own that listens on the loopback and leads to the VS Code Server
 * inside. It outlives editor windows and engines: where the engine has gone it has it started again. It ends when the
 * container is gone, or when nobody was connected for a while.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { carryAgent } from './agent.ts';
import { dialer, isPinnace } from './dial.ts';
import type { Inside } from './exec.ts';
import { openGate } from './gate.ts';

/** Gives the bridge the server's token; a command line would be for all to read. */
export const TOKEN_VARIABLE = 'PINNACE_BRIDGE_TOKEN';

export interface BridgeState {
  readonly pid: number;
  /** Of 127.0.0.1. */
  readonly port: number;
  /** Of the server, inside. */
  readonly inner: number;
}

export interface BridgeOptions {
  /** Runs for each engine that has to be found anew. */
  readonly connect: () => Promise<Client>;
  readonly container: string;
  readonly inner: number;
  /** Of the server: who has it may open the container's other ports too. */
  readonly token: string;
  /** The user inside whose agent socket is served; undefined: none is. */
  readonly agent?: { readonly socket: string; readonly how: Omit<Inside, 'command'> };
  /** The engine's run root: the states lie there. */
  readonly runRoot: string;
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/** How long a connection waits for an engine that is starting again. */
const RETRY_MS = 15_000;

/** The bridge that runs for this container and port, if one does. */
export function runningBridge(
  runRoot: string,
  container: string,
  inner: number,
): BridgeState | undefined {
  const state = readState(stateFile(runRoot, container));
  return state !== undefined && state.inner === inner && isBridge(state.pid) ? state : undefined;
}

/** Ends the bridge of a container; open windows of it lose their connection. True when one ran. */
export function endBridge(runRoot: string, container: string): boolean {
  const state = readState(stateFile(runRoot, container));
  if (state === undefined || !isBridge(state.pid)) return false;
  process.kill(state.pid, 'SIGTERM');
  return true;
}

/** Serves until it has no more use; `ready` is told where. */
export async function serveBridge(
  options: BridgeOptions,
  ready: (state: BridgeState) => void,
): Promise<void> {
  const { container, inner, signal } = options;
  const file = stateFile(options.runRoot, container);
  const engine = engineOf(options.connect);
  await engine.get();
  const { promise: over, resolve: end } = Promise.withResolvers<undefined>();
  let idle: NodeJS.Timeout | undefined;
  const rest = (open: number): void => {
    clearTimeout(idle);
    if (open === 0) idle = setTimeout(() => end(undefined), options.idleMs);
  };
  const preferred = readState(file)?.port;
  let published = false;
  const listener = await openGate({
    dial: async (port) => {
      // Everything of the engine was removed: it must not be started again for a window that is left open.
      if (published && !existsSync(file)) end(undefined);
      try {
        return await patiently(engine, (reach) => dialer({ ...reach, container })(port));
      } catch (error) {
        if (kindOf(error) === 'not-found') end(undefined);
        throw error;
      }
    },
    inner,
    token: options.token,
    onChange: rest,
    ...(preferred === undefined ? {} : { preferred }),
  });
  rest(0);
  const state = { pid: process.pid, port: listener.port, inner };
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  published = true;
  signal.addEventListener('abort', () => end(undefined), { once: true });
  const ended = new AbortController();
  void watchEnd(engine, { container, file }, ended.signal).then(() => end(undefined));
  if (options.agent !== undefined) void serveAgent(engine, options.agent, ended.signal);
  ready(state);
  await over;
  clearTimeout(idle);
  ended.abort();
  listener.close();
  engine.close();
}

/** Forgets the port that a container had. */
export function forgetBridge(runRoot: string, container: string): void {
  endBridge(runRoot, container);
  rmSync(stateFile(runRoot, container), { force: true });
}

interface Reached {
  readonly client: Client;
  readonly pinnace: boolean;
}

interface EngineSource {
  get(): Promise<Reached>;
  /** What was found last, if anything; does not look. */
  current(): Promise<Reached> | undefined;
  lost(reached: Reached): void;
  close(): void;
}

/** One client for all connections, found anew when it was lost. */
function engineOf(connect: () => Promise<Client>): EngineSource {
  let current: Promise<Reached> | undefined;
  const find = async (): Promise<Reached> => {
    const client = await connect();
    return { client, pinnace: await isPinnace(client) };
  };
  return {
    get: () => {
      current ??= find();
      const mine = current;
      mine.catch(() => {
        if (current === mine) current = undefined;
      });
      return mine;
    },
    current: () => current,
    lost: ({ client }) => {
      client.close();
      current = undefined;
    },
    close: () => {
      current?.then(
        ({ client }) => client.close(),
        () => undefined,
      );
    },
  };
}

/** Tries again while the engine is away: it was killed, or is starting. */
async function patiently<T extends Duplex>(
  engine: EngineSource,
  call: (reached: Reached) => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + RETRY_MS;
  for (;;) {
    let reached: Reached | undefined;
    try {
      reached = await engine.get();
      return await call(reached);
    } catch (error) {
      if (kindOf(error) !== 'unavailable' || Date.now() > deadline) throw error;
      if (reached !== undefined) engine.lost(reached);
      await sleep(100);
    }
  }
}

/** Resolves when the container was removed, or all that belongs to its engine. Starts no engine: only a connection is worth that. */
async function watchEnd(
  engine: EngineSource,
  { container, file }: { readonly container: string; readonly file: string },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && existsSync(file)) {
    const reached = engine.current();
    if (reached !== undefined) {
      try {
        const { client } = await reached;
        const { result } = await client.containers.wait(container, 'removed', { signal });
        await result;
        return;
      } catch (error) {
        if (kindOf(error) === 'not-found') return;
      }
    }
    await sleep(1000, undefined, { signal }).catch(() => undefined);
  }
}

async function serveAgent(
  engine: EngineSource,
  agent: NonNullable<BridgeOptions['agent']>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { client } = await (engine.current() ?? engine.get());
      await carryAgent(client, agent.how, agent.socket, signal);
    } catch (error) {
      if (kindOf(error) === 'not-found') return;
    }
    await sleep(2000, undefined, { signal }).catch(() => undefined);
  }
}

function stateFile(runRoot: string, container: string): string {
  if (!/^[0-9a-f]{12,64}$/.test(container))
    throw new EngineError('invalid', `not a container's id: ${container}`);
  return join(runRoot, 'bridges', `${container.slice(0, 12)}.json`);
}

function readState(file: string): BridgeState | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as BridgeState;
  } catch {
    return undefined;
  }
}

/** A pid may belong to another program by now. */
function isBridge(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('bridge');
  } catch {
    return false;
  }
}

/**
 * Starts and speaks to the supervisor of the engine's networks (docs/native.md, "net"): one connection for requests,
 * answered in their order, and one for each dialled stream. It knows no network and keeps nothing but the connection.
 */

import { mkdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import { errorObject } from './native.ts';
import type { Native } from './types.ts';

const MAX_LINE = 16 << 20;
/** `sun_path` holds 108 bytes with the final zero. */
const MAX_SOCKET_PATH = 107;
/** A supervisor that has not answered for so long never will: its connection counts as broken. */
const ANSWER_MS = 20_000;
/** How often a supervisor is started that ends before it can be reached. */
const TRIES = 4;

export type NetAnswer = Readonly<Record<string, unknown>>;

/** One connection to one supervisor. When it breaks, every open request fails with `unavailable`. */
export interface NetLink {
  /** Sent at once, answered after those before it. Throws the supervisor's error. */
  send(request: object): Promise<NetAnswer>;
  readonly isOpen: boolean;
  /** Settles when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
}

/** Requests of one lane are carried out in turn; removals, which take the kernel 50 ms, have a lane of their own. */
export type Lane = 'work' | 'removals';

export interface NetSupervisor {
  /** The lane's connection; the supervisor is started when there is none. */
  link(lane: Lane): Promise<NetLink>;
  /** Called when the connection for work breaks that was not let go. Set once. */
  onLost(listener: () => void): void;
  /** Connects to a port inside a process' network namespace; the result is the stream. */
  dial(request: object): Promise<Duplex>;
  /** Lets the connections go: without endpoints the supervisor ends. */
  release(): void;
}

/** The supervisor whose files lie in `dir`. */
export function createNetSupervisor(parts: { native: Native; dir: string }): NetSupervisor {
  const { native, dir } = parts;
  const path = join(dir, 'net.sock');
  let lost: () => void = () => undefined;
  const lanes = new Map<Lane, Promise<Connection>>();
  const open = async (lane: Lane): Promise<Connection> => {
    const socket = await reach(dir, () => start(native, dir, path));
    return new Connection(socket, () => {
      lanes.delete(lane);
      if (lane === 'work') lost();
    });
  };
  return {
    link: (lane) => {
      const known = lanes.get(lane);
      if (known !== undefined) return known;
      const opening = open(lane).catch((error: unknown) => {
        if (lanes.get(lane) === opening) lanes.delete(lane);
        throw error;
      });
      lanes.set(lane, opening);
      return opening;
    },
    onLost: (listener) => {
      lost = listener;
    },
    dial: async (request) => {
      const socket = await reach(dir, () => start(native, dir, path));
      await exchange(socket, request);
      return socket;
    },
    release: () => {
      const closing = [...lanes.values()];
      lanes.clear();
      for (const lane of closing) {
        lane.then(
          (connection) => connection.close(),
          () => undefined,
        );
      }
    },
  };
}

async function start(native: Native, dir: string, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new EngineError(
      'invalid',
      `the run directory is too deep for unix sockets (${String(Buffer.byteLength(path))} bytes, at most ${String(MAX_SOCKET_PATH)}): choose a shorter --run-root`,
      { path },
    );
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await native.call(['net'], { dir });
}

/** Connects to a supervisor that can serve this engine; where there is none, `begin` sees to one. */
async function reach(dir: string, begin: () => Promise<void>): Promise<Socket> {
  const path = join(dir, 'net.sock');
  for (let attempt = 1; ; attempt++) {
    const socket = await connected(path).catch(() => undefined);
    if (socket !== undefined) {
      if (await isNear(socket)) return socket;
      socket.destroy();
    }
    if (attempt > TRIES)
      throw new EngineError('unavailable', "the networks' supervisor does not answer", { path });
    await begin();
  }
}

/**
 * Whether it says that it is in this process' user namespace. An engine that was killed may have left one in another,
 * from where containers of this engine cannot be entered; a new one is made in its place. One that ends just now is none.
 */
async function isNear(socket: Socket): Promise<boolean> {
  const [own, its] = await Promise.all([
    stat('/proc/self/ns/user'),
    exchange(socket, { op: 'hello' }).catch(() => undefined),
  ]);
  return its?.['userNamespace'] === own.ino;
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

interface Waiting {
  readonly resolve: (answer: NetAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Requests in flight on one socket, first in, first answered. */
class Connection implements NetLink {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  readonly #onLost: () => void;
  readonly #closed = Promise.withResolvers<undefined>();
  #rest: Buffer[] = [];
  #size = 0;
  #state: 'open' | 'closing' | 'gone' = 'open';
  #watchdog: NodeJS.Timeout | undefined;

  constructor(socket: Socket, onLost: () => void) {
    this.#socket = socket;
    this.#onLost = onLost;
    // An idle connection must not keep the engine alive.
    socket.unref();
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => this.#gone());
    socket.on('end', () => this.#gone());
    socket.on('close', () => this.#gone());
    socket.resume();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  send(request: object): Promise<NetAnswer> {
    if (!this.isOpen) return Promise.reject(brokenOff());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#watch();
      this.#socket.ref();
      this.#socket.write(`${JSON.stringify(request)}\n`);
    });
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #take(chunk: Buffer): void {
    let data = chunk;
    for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10)) {
      const line = Buffer.concat([...this.#rest, data.subarray(0, at)]).toString('utf8');
      this.#rest = [];
      this.#size = 0;
      data = data.subarray(at + 1);
      this.#answer(line);
    }
    if (data.length === 0) return;
    this.#rest.push(data);
    this.#size += data.length;
    if (this.#size > MAX_LINE) this.#gone();
  }

  #answer(line: string): void {
    const waiting = this.#waiting.shift();
    this.#watch();
    if (this.#waiting.length === 0) this.#socket.unref();
    if (waiting === undefined) return;
    try {
      waiting.resolve(readAnswer(line));
    } catch (error) {
      waiting.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** From every answer anew, as long as one is owed. */
  #watch(): void {
    clearTimeout(this.#watchdog);
    if (this.#waiting.length > 0) this.#watchdog = setTimeout(() => this.#gone(), ANSWER_MS);
  }

  #gone(): void {
    clearTimeout(this.#watchdog);
    if (this.#state === 'gone') return;
    const wasOpen = this.#state === 'open';
    this.#state = 'gone';
    this.#socket.destroy();
    this.#closed.resolve(undefined);
    for (const { reject } of this.#waiting.splice(0)) reject(brokenOff());
    if (wasOpen) this.#onLost();
  }
}

/** Sends one line and reads one answer; what follows stays in the socket, which is paused. */
function exchange(socket: Socket, request: object): Promise<NetAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const fail = (error: Error) => {
      clearTimeout(watchdog);
      socket.destroy();
      reject(error);
    };
    const broken = () => fail(brokenOff());
    const watchdog = setTimeout(broken, ANSWER_MS);
    const onData = (chunk: Buffer) => {
      const at = chunk.indexOf(10);
      if (at < 0) {
        chunks.push(chunk);
        return;
      }
      chunks.push(chunk.subarray(0, at));
      clearTimeout(watchdog);
      socket.pause();
      socket.off('data', onData).off('end', broken).off('error', broken).off('close', broken);
      if (at + 1 < chunk.length) socket.unshift(chunk.subarray(at + 1));
      try {
        resolve(readAnswer(Buffer.concat(chunks).toString('utf8')));
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    };
    socket.on('data', onData).on('end', broken).on('error', broken).on('close', broken);
    // An exchange before this one has paused it.
    socket.resume();
    socket.write(`${JSON.stringify(request)}\n`);
  });
}

function readAnswer(line: string): NetAnswer {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new EngineError('internal', `unexpected answer: ${line.slice(0, 200)}`, { cause });
  }
  const failure = errorObject(value);
  if (failure !== undefined) throw failure;
  if (typeof value !== 'object' || value === null)
    throw new EngineError('internal', `unexpected answer: ${line.slice(0, 200)}`);
  return value as NetAnswer;
}

function brokenOff(): EngineError {
  return new EngineError('unavailable', "the networks' supervisor has ended");
}

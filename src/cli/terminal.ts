/** Joins the process' own streams with a container's: raw mode, window size, detach keys, signals. It always leaves the terminal as it was. */

import type { Duplex } from 'node:stream';
import { copyRaw, demultiplex } from '../client/api/streams.ts';
import type { Context } from './context.ts';

export interface Attached {
  readonly socket: Duplex;
  readonly multiplexed: boolean;
}

export interface JoinOptions {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly resize?: (size: { height: number; width: number }) => Promise<void>;
}

/** ctrl-p ctrl-q. */
const DETACH = [16, 17];

/** Copies until the container's side ends (`ended`) or the detach keys are typed (`detached`). */
export async function join(
  attached: Attached,
  options: JoinOptions,
  context: Context,
): Promise<'ended' | 'detached'> {
  const { socket } = attached;
  const leave = new AbortController();
  const raw = options.tty && options.stdin && context.stdin.isTTY;
  const stopSizes =
    options.tty && context.stdout.isTTY && options.resize
      ? followSize(options.resize, context)
      : () => undefined;
  if (raw) context.stdin.setRawMode(true);
  if (options.stdin) feed(socket, raw, leave, context);
  const output =
    options.tty || !attached.multiplexed
      ? copyRaw(socket, context.stdout)
      : demultiplex(socket, context);
  try {
    return await Promise.race([
      output.then(() => 'ended' as const),
      new Promise<'detached'>((resolve) =>
        leave.signal.addEventListener('abort', () => resolve('detached')),
      ),
    ]);
  } catch (error) {
    if (leave.signal.aborted) return 'detached';
    throw error;
  } finally {
    stopSizes();
    if (raw) context.stdin.setRawMode(false);
    context.stdin.pause();
    context.stdin.removeAllListeners('data');
    socket.destroy();
  }
}

function feed(socket: Duplex, raw: boolean, leave: AbortController, context: Context): void {
  let matched = 0;
  context.stdin.on('data', (chunk: Buffer) => {
    if (raw) {
      for (const byte of chunk) {
        matched = byte === DETACH[matched] ? matched + 1 : byte === DETACH[0] ? 1 : 0;
        if (matched === DETACH.length) {
          leave.abort();
          return;
        }
      }
      // The first detach key is held back until the next key decides.
      if (matched === 1 && chunk.length === 1) return;
    }
    if (!socket.writableEnded && !socket.write(chunk)) {
      context.stdin.pause();
      socket.once('drain', () => context.stdin.resume());
    }
  });
  context.stdin.once('end', () => socket.end());
  socket.on('error', () => context.stdin.pause());
}

function followSize(resize: NonNullable<JoinOptions['resize']>, context: Context): () => void {
  const send = (): void => {
    const { rows, columns } = context.stdout;
    // A container that has just ended has no window any more.
    resize({ height: rows, width: columns }).catch(() => undefined);
  };
  send();
  context.stdout.on('resize', send);
  return () => context.stdout.off('resize', send);
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Passes the process' signals on; returns the way back. */
export function forwardSignals(
  send: (signal: string) => Promise<void>,
  context: Context,
): () => void {
  context.ownSignals();
  const forward = (signal: NodeJS.Signals): void => {
    // The container may be gone already: then there is nobody to tell.
    send(signal).catch(() => undefined);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  return () => {
    for (const signal of FORWARDED) process.off(signal, forward);
  };
}

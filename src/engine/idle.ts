/** Watches for the time when the engine has nothing to do: no connection, nothing running. It ends nothing itself. */

import type { IncomingMessage } from 'node:http';
import type { Server, Socket } from 'node:net';
import { ONLOOKER_HEADER } from '../lib/api/system.ts';

export interface IdleOptions {
  /** Seconds; 0: never. */
  readonly seconds: number;
  /** Whether something runs that needs an engine. */
  readonly isBusy: () => Promise<boolean>;
  readonly onIdle: () => void;
}

/** Starts watching; returns the end of it. */
export function watchIdle(server: Server, options: IdleOptions): () => void {
  if (options.seconds <= 0) return () => undefined;
  let connections = 0;
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const arm = (): void => {
    clearTimeout(timer);
    if (over || connections > 0) return;
    timer = setTimeout(check, options.seconds * 1000);
  };
  const check = (): void => {
    options.isBusy().then(
      (busy) => {
        if (over || connections > 0) return;
        if (busy) arm();
        else options.onIdle();
      },
      // Whoever cannot tell is taken for busy.
      arm,
    );
  };
  const counted = new WeakSet<Socket>();
  const count = (socket: Socket): void => {
    counted.add(socket);
    connections += 1;
    clearTimeout(timer);
  };
  const discount = (socket: Socket): void => {
    if (!counted.delete(socket)) return;
    connections -= 1;
    arm();
  };
  server.on('connection', (socket: Socket) => {
    count(socket);
    socket.once('close', () => discount(socket));
  });
  // The next request on the same connection decides anew.
  server.on('request', ({ socket, headers }: IncomingMessage) => {
    if (headers[ONLOOKER_HEADER] !== undefined) discount(socket);
    else if (!counted.has(socket)) count(socket);
  });
  arm();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

/** Watches for the time when the engine has nothing to do: no connection, nothing running. It ends nothing itself. */

import type { Server } from 'node:net';

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
  server.on('connection', (socket) => {
    connections += 1;
    clearTimeout(timer);
    socket.once('close', () => {
      connections -= 1;
      arm();
    });
  });
  arm();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

/** A port of this machine's loopback that leads into a container. It never listens on anything but the loopback. */
import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { joinStreams, listenOnLoopback } from './loopback.ts';

export interface Forward {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  close(): void;
}

/** Listens on `preferred` when it is free, else on any port; each connection is joined with one that `dial` makes. */
export async function forward(
  dial: () => Promise<Duplex>,
  options: { readonly preferred?: number; readonly onChange?: (open: number) => void } = {},
): Promise<Forward> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    options.onChange?.(open.size);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      open.delete(socket);
      options.onChange?.(open.size);
    });
    socket.setNoDelay(true);
    dial().then(
      (inner) => {
        join(socket, inner);
      },
      () => socket.destroy(),
    );
  });
  const port = await listenOnLoopback(server, options.preferred);
  return {
    port,
    get connections() {
      return open.size;
    },
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function join(socket: Socket, inner: Duplex): void {
  if (socket.destroyed) {
    inner.destroy();
    return;
  }
  joinStreams(socket, inner);
}

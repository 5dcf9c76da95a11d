/** A port of this machine's loopback that leads into a container. It never listens on anything but the loopback. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';

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
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  try {
    await listen(options.preferred ?? 0);
  } catch (cause) {
    if (options.preferred === undefined)
      throw new EngineError('unavailable', 'no port of the loopback can be listened on', { cause });
    await listen(0);
  }
  return {
    port: (server.address() as AddressInfo).port,
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
  inner.on('error', () => socket.destroy());
  pipeline(socket, inner, () => undefined);
  pipeline(inner, socket, () => undefined);
}

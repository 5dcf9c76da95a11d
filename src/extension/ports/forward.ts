/** Ports of containers carried to loopback ports of this machine, through the engine's dial. Opens nothing but loopback listeners. */
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { EngineError } from '../../lib/errors.ts';

export interface Forwards {
  /** The local port; the same one for a port that is forwarded already. Prefers the same number. */
  open(container: string, port: number): Promise<number>;
  stop(container: string, port: number): void;
  close(): void;
}

export interface Dialer {
  readonly dial: (container: string, port: number) => Promise<Socket>;
}

/** Below it only root may listen. */
const PRIVILEGED = 1024;

export function createForwards({ dial }: Dialer): Forwards {
  const servers = new Map<string, { readonly server: Server; readonly sockets: Set<Socket> }>();
  const stop = (key: string): void => {
    const held = servers.get(key);
    servers.delete(key);
    held?.server.close();
    for (const socket of held?.sockets ?? []) socket.destroy();
  };
  return {
    open: async (container, port) => {
      const key = `${container} ${String(port)}`;
      const held = servers.get(key);
      if (held !== undefined) return portOf(held.server);
      const sockets = new Set<Socket>();
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
        void join(socket, () => dial(container, port));
      });
      const wanted = port < PRIVILEGED ? 0 : port;
      await listen(server, wanted).catch(() => listen(server, 0));
      servers.set(key, { server, sockets });
      return portOf(server);
    },
    stop: (container, port) => stop(`${container} ${String(port)}`),
    close: () => {
      for (const key of [...servers.keys()]) stop(key);
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  const listening = once(server, 'listening');
  server.listen({ host: '127.0.0.1', port });
  await listening;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new EngineError('internal', 'the listener has no port');
  return address.port;
}

/** Half-closes travel both ways; an end that breaks takes the other along. */
async function join(socket: Socket, dial: () => Promise<Socket>): Promise<void> {
  socket.on('error', () => undefined);
  try {
    const far = await dial();
    far.on('error', () => socket.destroy());
    socket.on('error', () => far.destroy());
    socket.on('close', () => far.destroy());
    far.on('close', () => socket.destroySoon());
    socket.pipe(far);
    far.pipe(socket);
    if (socket.destroyed) far.destroy();
  } catch {
    // Nothing listens there any more: the browser sees a closed connection, as it would from the program itself.
    socket.destroy();
  }
}

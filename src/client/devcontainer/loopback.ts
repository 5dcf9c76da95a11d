/** What the doors on this machine's loopback have in common: where they listen, and how two streams become one. */
import type { AddressInfo, Server } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';

/** Listens on a port of 127.0.0.1: on `preferred` when it is free, else on any. Throws `unavailable`. */
export async function listenOnLoopback(server: Server, preferred?: number): Promise<number> {
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(preferred ?? 0)
    .catch(() => listen(0))
    .catch((cause: unknown) => {
      throw new EngineError('unavailable', 'no port of the loopback can be listened on', { cause });
    });
  return (server.address() as AddressInfo).port;
}

/** Passes on what each of two streams says to the other, and the end of one. */
export function joinStreams(outer: Duplex, inner: Duplex): void {
  inner.on('error', () => outer.destroy());
  outer.on('error', () => inner.destroy());
  pipeline(outer, inner, () => undefined);
  pipeline(inner, outer, () => undefined);
}

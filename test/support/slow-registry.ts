/** A proxy on loopback before a real registry that lets a layer through only as fast as a test says. It keeps nothing. */

import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SlowRegistry {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  /** Milliseconds before each piece of a blob; 0: as fast as it comes. */
  delay: number;
  /** Bytes of blobs that went through so far. */
  readonly sent: () => number;
  close(): Promise<void>;
}

export async function startSlowRegistry(upstream: string): Promise<SlowRegistry> {
  let sent = 0;
  const slow = {
    url: '',
    delay: 0,
    sent: () => sent,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer((asked, answer) => {
    const onward = request(
      `${upstream}${asked.url ?? ''}`,
      { method: asked.method, headers: { ...asked.headers, host: new URL(upstream).host } },
      (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        const pass = async (): Promise<void> => {
          for await (const chunk of got as AsyncIterable<Buffer>) {
            for (let at = 0; at < chunk.length; at += 4096) {
              const piece = chunk.subarray(at, at + 4096);
              if (asked.url?.includes('/blobs/') === true) {
                if (slow.delay > 0) await sleep(slow.delay);
                sent += piece.length;
              }
              if (answer.destroyed) return;
              answer.write(piece);
            }
          }
          answer.end();
        };
        pass().catch(() => answer.destroy());
      },
    );
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  slow.url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return slow;
}

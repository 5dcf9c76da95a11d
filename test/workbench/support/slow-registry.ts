/** A registry in front of another that stops in the middle of large blobs, for pulls that are to be caught under way. Writes nothing. */
import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Larger blobs stop after their first part. */
const LARGE = 256 * 1024;
const PART = 64 * 1024;

export interface SlowRegistry {
  /** host:port, for image names. */
  readonly address: string;
  /** Blobs that have stopped and that somebody still waits for. */
  readonly held: number;
  close(): Promise<void>;
}

export async function startSlowRegistry(behind: string): Promise<SlowRegistry> {
  let held = 0;
  const [hostname = '', port = ''] = behind.split(':');
  const server = createServer((asked, answer) => {
    const { method, url, headers } = asked;
    const onward = ask({ hostname, port, method, path: url, headers }, (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers);
      const isBlob = method === 'GET' && url?.includes('/blobs/') === true;
      if (!isBlob || Number(given.headers['content-length']) < LARGE) {
        given.pipe(answer);
        return;
      }
      let sent = 0;
      given.on('data', (chunk: Buffer) => {
        answer.write(chunk.subarray(0, PART - sent));
        sent += Math.min(chunk.length, PART - sent);
        if (sent < PART) return;
        given.removeAllListeners('data').pause();
        held += 1;
        answer.once('close', () => {
          held -= 1;
          given.destroy();
        });
      });
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get held() {
      return held;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What the network suites share: servers on this machine, its addresses, and a picture of its network configuration to compare. It changes nothing. */

import { createSocket } from 'node:dgram';
import { createServer as createHttpServer } from 'node:http';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { command, type TestEngine } from './engine.ts';

/** An address of this machine that is not its loopback; throws where there is none. */
export function hostAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const found = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (found === undefined) throw new Error('this machine has no address but its loopback');
  return found.address;
}

export interface Server {
  readonly port: number;
  close(): void;
}

/** An HTTP server that answers `text` and the client's address. */
export function serveHttp(address: string, text: string): Promise<Server> {
  const server = createHttpServer((request, response) => {
    response.end(`${text} ${request.socket.remoteAddress ?? ''}`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () => {
          server.closeAllConnections();
          server.close();
        },
      });
    });
  });
}

/** A TCP server that hands every connection to `serve`; its errors are the connection's end. */
export function serveTcp(address: string, serve: (socket: Socket) => void): Promise<Server> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: address, backlog: 4096 }, () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () => {
          for (const socket of open) socket.destroy();
          server.close();
        },
      });
    });
  });
}

/** A UDP server that answers with what it got. */
export function serveEcho(address: string): Promise<Server> {
  const socket = createSocket('udp4');
  socket.on('message', (data, peer) => socket.send(data, peer.port, peer.address));
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, address, () => {
      resolve({
        port: socket.address().port,
        close: () => {
          socket.close();
        },
      });
    });
  });
}

/** A TCP port of this machine that is free, below those that the kernel gives to outgoing connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** The body of an HTTP answer. A server that is still starting (the connection is reset) is asked again, for `ms` at most. */
export async function fetchText(host: string, port: number, ms = 5000): Promise<string> {
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
  const end = Date.now() + ms;
  for (;;) {
    try {
      return await (await fetch(url, { signal: AbortSignal.timeout(ms) })).text();
    } catch (error) {
      const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
      if (code !== 'ECONNRESET' || Date.now() > end) throw error;
      await delay(20);
    }
  }
}

/** Waits until a published port's program keeps a connection open. */
export async function untilOpen(host: string, port: number, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await keeps(host, port))) {
    if (Date.now() > end) throw new Error(`nothing serves ${host}:${port} after ${ms} ms`);
    await delay(20);
  }
}

function keeps(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(true);
    }, 100);
    socket.once('data', () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}

/** Removes every container of the engine, whatever state a failed test left it in. */
export async function removeAll(engine: TestEngine): Promise<void> {
  const ids = (await engine.docker('ps', '-aq')).split('\n').filter((id) => id !== '');
  if (ids.length > 0) await engine.docker('rm', '-f', ...ids);
  await engine.docker('network', 'prune', '-f');
}

/** Sends a datagram and answers what comes back; rejects after `ms`. */
export function askEcho(host: string, port: number, data: Buffer, ms = 3000): Promise<Buffer> {
  const socket = createSocket('udp4');
  return new Promise<Buffer>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no datagram from ${host}:${port} within ${ms} ms`));
    }, ms);
    socket.once('error', reject);
    socket.once('message', (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    socket.send(data, port, host);
  }).finally(() => {
    socket.close();
  });
}

/** How a connection attempt ends: `open`, or the error's code. */
export function probe(host: string, port: number, ms = 3000): Promise<string> {
  const socket = connect({ host, port });
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy();
      resolve('ETIMEDOUT');
    }, ms);
    const done = (how: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(how);
    };
    socket.once('connect', () => {
      done('open');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      done(error.code ?? 'error');
    });
  });
}

/** This machine's addresses, routes, rules, firewall and network settings, as text that changes only when they do. */
export async function networkOfHost(): Promise<string> {
  const volatile =
    /count|inode|flush|\.route\.|tcp_fastopen_key|stable_secret|random|dev-mcast|nf_log/;
  const parts = [
    ['ip', '-br', 'link'],
    ['ip', '-br', 'addr'],
    ['ip', 'route', 'show', 'table', 'all'],
    ['ip', '-6', 'route', 'show', 'table', 'all'],
    ['ip', 'rule'],
    ['ip', '-6', 'rule'],
    ['sh', '-c', 'nft list ruleset 2>/dev/null || iptables-save 2>/dev/null || true'],
    ['sh', '-c', 'sysctl -a -r "^net\\." 2>/dev/null'],
  ];
  const texts = await Promise.all(parts.map((words) => command(words)));
  return texts
    .map(({ stdout }) => stdout)
    .join('\n')
    .split('\n')
    .filter((line) => !volatile.test(line))
    .map((line) => line.replace(/ expires \d+sec/, ''))
    .join('\n');
}

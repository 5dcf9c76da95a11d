/** Joins standard streams with ports and sockets of the container: one connection, or many in frames. Runs inside the container. */
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { dataFolder } from './launch.ts';

const HEADER = 8;

/** Joins standard input and output with a port of `host`, the loopback by default, or with a socket's path. */
export function dial(target: string, host: string): void {
  const where = target.startsWith('/') ? { path: target } : { host, port: Number(target) };
  const socket = connect({ ...where, allowHalfOpen: true });
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
  socket.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  socket.on('close', () => process.exit(0));
}

/**
 * Listens on a port, or on a socket that looks like an SSH agent's; each connection is a channel of frames on the standard
 * streams: channel u32, length u32, data; a length of 0 ends one direction of a channel, channel 0 says where it listens and what was opened.
 */
export function listen(target: string, address: string): void {
  const agent = target === 'agent';
  const path = agent ? agentPath() : '';
  const channels = new Map<number, Socket>();
  let next = 1;
  const send = (channel: number, data: Buffer): boolean => {
    const header = Buffer.alloc(HEADER);
    header.writeUInt32BE(channel, 0);
    header.writeUInt32BE(data.length, 4);
    return process.stdout.write(Buffer.concat([header, data]));
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const channel = next++;
    channels.set(channel, socket);
    send(0, Buffer.from(`open ${channel}`));
    socket.on('data', (data) => {
      if (send(channel, data)) return;
      socket.pause();
      process.stdout.once('drain', () => socket.resume());
    });
    socket.on('error', () => socket.destroy());
    let ended = false;
    const endOurs = (): void => {
      if (!ended) send(channel, Buffer.alloc(0));
      ended = true;
    };
    socket.on('end', endOurs);
    socket.on('close', () => {
      endOurs();
      channels.delete(channel);
    });
  });
  const end = (status: number): void => {
    if (agent) rmSync(path, { force: true });
    process.exit(status);
  };
  server.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    end(1);
  });
  const ready = (): void => {
    if (agent) chmodSync(path, 0o600);
    const bound = server.address();
    const place = typeof bound === 'string' || bound === null ? path : String(bound.port);
    send(0, Buffer.from(place));
  };
  if (agent) server.listen(path, ready);
  else
    server.listen(
      { port: Number(target), host: LOOPBACKS.has(address) ? '127.0.0.1' : address },
      ready,
    );
  readFrames((channel, data) => {
    if (data.length > 0) channels.get(channel)?.write(data);
    else channels.get(channel)?.end();
  });
  process.stdin.on('end', () => end(0));
}

const LOOPBACKS = new Set(['', 'localhost', '127.0.0.1']);

/** The agent of the open window has the known name; those of SSH sessions have names of their own. */
function agentPath(): string {
  const path = join(dataFolder(), 'agent.sock');
  rmSync(path, { force: true });
  return path;
}

function readFrames(take: (channel: number, data: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  process.stdin.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER) {
      const length = rest.readUInt32BE(4);
      if (rest.length < HEADER + length) return;
      take(rest.readUInt32BE(0), rest.subarray(HEADER, HEADER + length));
      rest = rest.subarray(HEADER + length);
    }
  });
}

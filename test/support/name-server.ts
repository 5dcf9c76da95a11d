/** A name server that gives one address for every name: within the test, or as a program (`name-server.ts ADDRESS ANSWER`) for the network namespace of a container. It knows no other record. */

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface NameServer {
  /** The first labels of the names that were asked for. */
  readonly asked: readonly string[];
  close(): void;
}

/** Serves port 53 of an address of this machine. */
export async function serveNames(address: string, answer: string): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
  socket.on('message', (message, peer) => {
    const end = message.indexOf(0, 12) + 5;
    asked.push(message.toString('latin1', 13, 13 + (message[12] ?? 0)));
    const isFour = message.readUInt16BE(end - 4) === 1;
    const head = Buffer.alloc(12);
    message.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(isFour ? 1 : 0, 6);
    const address = Buffer.from(answer.split('.').map(Number));
    const parts = [head, message.subarray(12, end), ...(isFour ? [record, address] : [])];
    socket.send(Buffer.concat(parts), peer.port, peer.address);
  });
  socket.bind(53, address);
  await once(socket, 'listening');
  return { asked, close: () => socket.close() };
}

/** The same in the network namespace of a process. Needs root. */
export async function serveNamesIn(
  pid: number,
  address: string,
  answer: string,
): Promise<{ close(): void }> {
  const own = [process.execPath, import.meta.filename, address, answer];
  const child = spawn('nsenter', ['--target', String(pid), '--net', ...own], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => {
      throw new Error(`no name server at ${address} in the namespace of ${String(pid)}`);
    }),
  ]);
  return { close: () => child.kill('SIGKILL') };
}

const [, program, address, answer] = process.argv;
if (program === import.meta.filename && address !== undefined && answer !== undefined) {
  await serveNames(address, answer);
  process.stdout.write('serving\n');
}

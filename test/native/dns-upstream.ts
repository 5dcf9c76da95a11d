/** A name server for the tests, run as a program in the world's namespace: `node dns-upstream.ts ADDRESS TEXT`. Answers every A question with one address, `big.…` with sixty (cut by UDP), `silent.…` never, TXT with its own text; prints every name that it was asked for. */

import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const [address = '127.0.0.1', text = ''] = process.argv.slice(2);
const A = 1;
const TXT = 16;

interface Asked {
  readonly name: string;
  readonly kind: number;
  /** Where the question ends. */
  readonly end: number;
}

function read(message: Buffer): Asked {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), kind: message.readUInt16BE(at + 1), end: at + 5 };
}

function answer(message: Buffer, by: 'udp' | 'tcp'): Buffer | undefined {
  const { name, kind, end } = read(message);
  console.log(`${by} ${name}`);
  if (name.startsWith('silent.')) return undefined;
  const count = kind === A ? (name.startsWith('big.') ? 60 : 1) : kind === TXT ? 1 : 0;
  const cut = by === 'udp' && count > 1;
  const header = Buffer.alloc(12);
  message.copy(header, 0, 0, 2);
  header.writeUInt16BE(cut ? 0x8380 : 0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(cut ? 0 : count, 6);
  const records = Array.from({ length: cut ? 0 : count }, (_, index) => {
    const data =
      kind === A
        ? Buffer.from([10, 9, 9, index + 1])
        : Buffer.from([text.length, ...Buffer.from(text)]);
    const fixed = Buffer.from([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, data.length]);
    return Buffer.concat([fixed, data]);
  });
  return Buffer.concat([header, message.subarray(12, end), ...records]);
}

const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
udp.on('message', (message, peer) => {
  const reply = answer(message, 'udp');
  if (reply !== undefined) udp.send(reply, peer.port, peer.address);
});
const tcp = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (data) => {
    const reply = answer(data.subarray(2), 'tcp');
    if (reply === undefined) return;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(reply.length);
    socket.write(Buffer.concat([length, reply]));
  });
});
udp.bind(53, address, () => {
  tcp.listen(53, address, () => {
    console.log('ready');
  });
});

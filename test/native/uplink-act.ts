/** Acts for the uplink's suite, run in the world's host or in a container: servers and clients that say in one JSON line what they saw. Usage: uplink-act.ts ACT HOST PORT [ARGUMENT]. */

import { createSocket } from 'node:dgram';
import { connect, createServer, isIPv6, type AddressInfo, type Socket } from 'node:net';

const [act = '', host = '', portText = '0', argument = ''] = process.argv.slice(2);
const port = Number(portText);

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Echoes; after the client's end it says goodbye and the client's address. `reset` as first bytes: a reset. */
function serveTcp(): void {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (data) => {
      if (data.toString().startsWith('reset')) socket.resetAndDestroy();
      else if (data.toString().startsWith('stall')) socket.pause();
      else if (!socket.write(data)) socket.pause();
    });
    socket.on('drain', () => socket.resume());
    socket.on('end', () => socket.end(`bye ${socket.remoteAddress ?? ''}`));
    socket.on('error', () => socket.destroy());
  });
  server.listen({ port, host, backlog: 4096, ipv6Only: isIPv6(host) }, () => {
    say((server.address() as AddressInfo).port);
  });
}

function serveUdp(): void {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.on('message', (data, peer) => socket.send(data, peer.port, peer.address));
  socket.bind(port, host, () => {
    say(socket.address().port);
  });
}

function open(ms = 5000): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(Object.assign(new Error('no answer'), { code: 'TIMEOUT' }));
    }, ms);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** Sends the text, ends its side, and reads to the other's end. */
async function talk(): Promise<string> {
  const socket = await open();
  socket.end(argument);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

/** Opens many at once; each must get its own text back. */
async function burst(): Promise<object> {
  const numbers = Array.from({ length: Number(argument) }, (_, at) => at);
  const sockets = await Promise.all(numbers.map(() => open(20_000)));
  const answers = sockets.map(async (socket, at) => {
    socket.end(`number ${at}`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text.startsWith(`number ${at}bye`);
  });
  return { right: (await Promise.all(answers)).filter(Boolean).length };
}

/** Sends megabytes and reads them back, checking every byte. */
async function bulk(): Promise<object> {
  const size = Number(argument) * 1024 * 1024;
  const block = Buffer.alloc(1024 * 1024, Buffer.from(Array.from({ length: 251 }, (_, at) => at)));
  const socket = await open();
  let got = 0;
  let wrong = 0;
  socket.on('data', (data) => {
    const room = Math.max(0, size - got);
    for (let at = 0; at < Math.min(data.length, room); at += 997) {
      if (data[at] !== block[(got + at) % block.length]) wrong += 1;
    }
    got += data.length;
  });
  for (let sent = 0; sent < size; sent += block.length) {
    if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  socket.end();
  await new Promise((resolve) => socket.once('end', resolve));
  return { echoed: got - size < 64 && got > size, wrong };
}

/** Keeps connections open whose server reads nothing, and sends as long as they take something. */
async function stall(): Promise<object> {
  const sockets = await Promise.all(Array.from({ length: Number(argument) }, () => open(20_000)));
  const block = Buffer.alloc(64 * 1024, 's');
  for (const socket of sockets) socket.write('stall');
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const socket of sockets) for (let at = 0; at < 64 && socket.write(block); at += 1);
  say('stalled');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  return {};
}

/** Tries every port from the first to the last and counts how each ended. */
async function scan(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const note = (outcome: string): void => {
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  };
  const one = (number: number): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ host, port: number });
      socket.once('connect', () => {
        note('open');
        socket.destroy();
        resolve();
      });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        note(error.code ?? error.message);
        resolve();
      });
    });
  const last = Number(argument);
  for (let first = port; first <= last; first += 1000) {
    const ports = Array.from({ length: Math.min(1000, last - first + 1) }, (_, at) => first + at);
    await Promise.all(ports.map(one));
  }
  return counts;
}

/** Sends datagrams of the sizes given and says what sizes came back. */
async function datagrams(): Promise<number[]> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  await new Promise<void>((resolve) => {
    socket.connect(port, host, resolve);
  });
  const sizes: number[] = [];
  for (const size of argument.split(',').map(Number)) {
    const answer = new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => {
        resolve(-1);
      }, 3000);
      socket.once('message', (data) => {
        clearTimeout(timer);
        resolve(data.length);
      });
      socket.once('error', reject);
    });
    socket.send(Buffer.alloc(size, 'd'));
    sizes.push(await answer);
  }
  socket.close();
  return sizes;
}

const ACTS: Readonly<Record<string, () => Promise<unknown>>> = {
  talk,
  burst,
  bulk,
  stall,
  scan,
  datagrams,
};

if (act === 'serve-tcp') serveTcp();
else if (act === 'serve-udp') serveUdp();
else {
  try {
    say({ ok: await ACTS[act]?.() });
  } catch (error) {
    say({ error: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
  process.exit(0);
}

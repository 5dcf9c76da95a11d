/**
 * Streams of answers: hijacked connections, lines of JSON, and bodies.
 *
 * A hijack takes the connection away from HTTP after the answer's head (101 with `Upgrade: tcp`, 200
 * without). From then on each direction ends by itself: the client's half-close ends the container's
 * input while output goes on; the container's end closes the connection once its output is written.
 * Both directions wait for a slow receiver.
 */

import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { Exchange } from './exchange.ts';
import { speaks } from './exchange.ts';
import { sendError } from './errors.ts';

const RAW_STREAM = 'application/vnd.docker.raw-stream';
const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';

/** How long a client may take to close after the container's stream has ended. */
const LINGER_MS = 1000;

/** A client that leaves more than this unread is not coming back. */
const MAX_UNREAD = 64 * 1024 * 1024;

/** The content type of a container's output for this client. */
export function streamType(exchange: Exchange, options: { readonly tty: boolean }): string {
  return !options.tty && speaks(exchange, '1.42') ? MULTIPLEXED_STREAM : RAW_STREAM;
}

/** Takes the connection over and joins it with the container's stream until both have ended. */
export async function hijack(
  exchange: Exchange,
  framed: { readonly tty: boolean; readonly stream: Duplex },
  options: { readonly input: boolean; readonly ends?: 'with-output' | 'each' },
): Promise<void> {
  const { response, socket } = exchange;
  const lines = response.getHeaderNames().map((name) => {
    const shown = name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
    return `${shown}: ${String(response.getHeader(name))}`;
  });
  response.detachSocket(socket);
  takeFromParser(socket);
  const head = exchange.upgrade
    ? [
        'HTTP/1.1 101 UPGRADED',
        `Content-Type: ${streamType(exchange, framed)}`,
        'Connection: Upgrade',
        'Upgrade: tcp',
      ]
    : ['HTTP/1.1 200 OK', `Content-Type: ${RAW_STREAM}`];
  socket.setTimeout(0);
  socket.write(`${[...head, ...lines].join('\r\n')}\r\n\r\n`);
  if (options.ends === 'each') await relay(socket, framed.stream);
  else await bridge(socket, framed.stream, options);
}

/** Joins two connections as equals: each direction ends by itself. Resolves when both are closed. */
async function relay(socket: Socket, stream: Duplex): Promise<void> {
  const closed = (one: Socket | Duplex): Promise<void> =>
    new Promise((resolve) => {
      if (one.destroyed) resolve();
      else one.once('close', () => resolve());
    });
  const both = Promise.all([closed(socket), closed(stream)]);
  socket.on('error', () => socket.destroy());
  stream.on('error', () => stream.destroy());
  // One that closes before it ended takes the other with it; else the rest is still on its way.
  socket.once('close', () => {
    if (!socket.readableEnded || !stream.readableEnded) stream.destroy();
  });
  stream.once('close', () => socket.destroySoon());
  if (socket.destroyed) stream.destroy();
  else {
    socket.pipe(stream);
    stream.pipe(socket);
  }
  await both;
}

/** Copies both ways. Resolves when the connection is closed; destroys the stream with it. */
async function bridge(
  socket: Socket,
  stream: Duplex,
  options: { readonly input: boolean },
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let linger: NodeJS.Timeout | undefined;
  const finish = (): void => {
    if (linger !== undefined) return;
    socket.end();
    // What the client still sends must be read, or closing would look like a broken connection to it.
    socket.unpipe(stream);
    socket.resume();
    linger = setTimeout(() => socket.destroy(), LINGER_MS);
  };
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    clearTimeout(linger);
    stream.destroy();
    resolve(undefined);
  });
  stream.on('error', finish);
  stream.once('end', finish);
  stream.once('close', finish);
  if (socket.destroyed) {
    stream.destroy();
    return;
  }
  if (options.input && stream.writable) socket.pipe(stream);
  else socket.resume();
  if (stream.readableEnded || stream.destroyed) finish();
  else stream.pipe(socket, { end: false });
  await promise;
}

/** Ends the HTTP parser's hold on a connection whose request is complete. */
function takeFromParser(socket: Socket): void {
  for (const event of ['data', 'end', 'drain', 'error', 'timeout'])
    socket.removeAllListeners(event);
}

/** Sends a readable as the answer's body. An error after its first byte cuts the connection. */
export async function sendStream(
  exchange: Exchange,
  body: Readable,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  exchange.response.writeHead(200, { ...headers });
  exchange.response.flushHeaders();
  try {
    await pipeline(body, exchange.response);
  } catch (error) {
    if (!exchange.signal.aborted) throw error;
  }
}

/** The lines of an answer that tells its progress. The head goes out with the first line. */
export interface Lines {
  write(value: object): void;
  /** Ends well. */
  end(): void;
}

/** A stream of JSON objects, one a line, each sent at once. `begin` sends the head now. */
export function openLines(
  exchange: Exchange,
  options: { readonly begin?: 'now' | 'first-line' } = {},
): Lines {
  const { response } = exchange;
  const begin = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
  };
  if (options.begin === 'now') begin();
  return {
    write(value) {
      if (response.destroyed || response.writableEnded) return;
      begin();
      if (response.writableNeedDrain && isBarProgress(value)) return;
      if (response.writableLength > MAX_UNREAD) {
        response.destroy();
        return;
      }
      response.write(`${JSON.stringify(value)}\r\n`);
    },
    end() {
      if (response.destroyed) return;
      begin();
      response.end();
    },
  };
}

/**
 * Runs work that writes progress lines. An error before the first line is an ordinary failed answer, a
 * later one is the last line (`errorDetail`), as dockerd does it.
 */
export async function runWithLines(
  exchange: Exchange,
  work: (lines: Lines) => Promise<void>,
): Promise<void> {
  const lines = openLines(exchange);
  try {
    await work(lines);
    lines.end();
  } catch (error) {
    if (exchange.signal.aborted) {
      exchange.response.destroy();
      return;
    }
    if (!exchange.response.headersSent) {
      sendError(exchange.response, error);
      return;
    }
    const message = kindOf(error) === 'cancelled' ? 'the call was cancelled' : messageOf(error);
    const code =
      error instanceof EngineError && typeof exitCodeOf(error) === 'number'
        ? { code: exitCodeOf(error) }
        : {};
    lines.write({ errorDetail: { ...code, message }, error: message });
    lines.end();
  }
}

/** A failed RUN carries its command's exit code. */
function exitCodeOf(error: EngineError): number | undefined {
  const { cause } = error;
  if (
    typeof cause === 'object' &&
    cause !== null &&
    'exitCode' in cause &&
    typeof cause.exitCode === 'number'
  )
    return cause.exitCode;
  return undefined;
}

/** A bar's intermediate state: the next one replaces it, so a slow client may miss it. */
function isBarProgress(value: object): boolean {
  return (
    'progressDetail' in value &&
    'status' in value &&
    (value.status === 'Downloading' || value.status === 'Extracting')
  );
}

/** Reads the body of a request that asks for `Upgrade`: node:http hands such a connection over unparsed. What follows the body stays in the socket. */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { EngineError } from '../../lib/errors.ts';

/** Only small JSON requests are ever upgraded. */
const LIMIT = 1024 * 1024;

/** The body's bytes; the rest of `head` is put back into the socket. Throws invalid for a bad or large one. */
export async function readUpgradeBody(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): Promise<Buffer> {
  const reader = new SocketReader(socket, head);
  try {
    if (/(^|,)\s*chunked\s*$/i.test(request.headers['transfer-encoding'] ?? ''))
      return await readChunked(reader);
    const text = request.headers['content-length'] ?? '0';
    const length = Number(text);
    if (!/^\d+$/.test(text) || length > LIMIT) throw tooLarge(`Content-Length ${text}`);
    return await reader.take(length);
  } finally {
    reader.release();
  }
}

async function readChunked(reader: SocketReader): Promise<Buffer> {
  const parts: Buffer[] = [];
  let total = 0;
  for (;;) {
    const line = await reader.line();
    const size = /^([0-9a-f]{1,8})\s*(;.*)?$/i.exec(line)?.[1];
    if (size === undefined) throw new EngineError('invalid', 'the request body has a broken chunk');
    const length = Number.parseInt(size, 16);
    total += length;
    if (total > LIMIT) throw tooLarge('the chunked body');
    if (length === 0) break;
    parts.push(await reader.take(length));
    if ((await reader.line()) !== '')
      throw new EngineError('invalid', 'the request body has a broken chunk');
  }
  while ((await reader.line()) !== '') {
    // Trailers say nothing that is used here.
  }
  return Buffer.concat(parts);
}

function tooLarge(what: string): EngineError {
  return new EngineError(
    'invalid',
    `${what} is more than an upgraded request may have (${LIMIT} bytes)`,
  );
}

/** Takes bytes from a paused socket, starting with those that came with the request's head. */
class SocketReader {
  private readonly socket: Socket;
  private buffer: Buffer;

  constructor(socket: Socket, head: Buffer) {
    this.socket = socket;
    this.buffer = head;
  }

  async take(length: number): Promise<Buffer> {
    while (this.buffer.length < length) await this.more();
    const taken = this.buffer.subarray(0, length);
    this.buffer = this.buffer.subarray(length);
    return taken;
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.buffer.indexOf('\r\n');
      if (end >= 0) {
        const line = this.buffer.toString('latin1', 0, end);
        this.buffer = this.buffer.subarray(end + 2);
        return line;
      }
      if (this.buffer.length > 8192)
        throw new EngineError('invalid', 'the request body has a line of more than 8 KiB');
      await this.more();
    }
  }

  /** Puts what was not used back. */
  release(): void {
    if (this.buffer.length > 0 && !this.socket.destroyed) this.socket.unshift(this.buffer);
    this.buffer = Buffer.alloc(0);
  }

  private async more(): Promise<void> {
    const { socket } = this;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const ended = (): void =>
      reject(new EngineError('invalid', 'the connection ended within the request body'));
    const readable = (): void => resolve(undefined);
    socket.once('readable', readable).once('end', ended).once('close', ended);
    try {
      let chunk = socket.read() as Buffer | null;
      if (chunk === null) {
        await promise;
        chunk = socket.read() as Buffer | null;
      }
      if (chunk !== null) this.buffer = Buffer.concat([this.buffer, chunk]);
      else if (socket.readableEnded)
        throw new EngineError('invalid', 'the connection ended within the request body');
    } finally {
      socket.off('readable', readable).off('end', ended).off('close', ended);
    }
  }
}

/**
 * The body of a request as handlers read it. One that is given up half-read never cuts the connection: the
 * rest is read past, so that the client gets the answer instead of a broken pipe.
 */

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** Reads nothing of the request before it is read itself; ends or fails as the request does. */
export class RequestBody extends Readable {
  private readonly request: IncomingMessage;
  private started = false;

  constructor(request: IncomingMessage) {
    super();
    this.request = request;
  }

  override _read(): void {
    if (!this.started) this.begin();
    this.request.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.request.removeAllListeners('data');
    this.request.resume();
    done(error);
  }

  private begin(): void {
    this.started = true;
    const { request } = this;
    request.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) request.pause();
    });
    request.once('end', () => this.push(null));
    request.on('error', (error) => this.destroy(error));
    request.once('close', () => {
      if (!request.complete) this.destroy(new Error('the request ended in its middle'));
    });
  }
}

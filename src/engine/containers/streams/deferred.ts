/** A stream that a client may hold before its other side exists: writes wait, and the other side's end may be held back until a result is recorded. It never looks into the data. */

import { Duplex } from 'node:stream';

interface Waiting {
  readonly chunk: Buffer;
  readonly done: (error?: Error | null) => void;
}

export interface DeferredOptions {
  /** Looks at what the client writes; answers what to pass on, and whether the client asked to leave. */
  readonly filter?: ((chunk: Buffer) => { pass: Buffer; detach: boolean }) | undefined;
  readonly onDetach?: (() => void) | undefined;
}

/** Holds the invariant that bytes pass in order, whenever the source comes. */
export class DeferredStream extends Duplex {
  #source: Duplex | undefined;
  #waiting: Waiting[] = [];
  #ended = false;
  readonly #options: DeferredOptions;

  constructor(options: DeferredOptions = {}) {
    super({ allowHalfOpen: true, highWaterMark: 64 << 10 });
    this.#options = options;
    // An attached client that vanishes is no failure of anybody's.
    this.on('error', () => undefined);
  }

  /** Puts bytes before the source's; only before connect. */
  prepend(chunk: Buffer): void {
    this.push(chunk);
  }

  /** Joins the source; its end becomes ours after `beforeEnd`. */
  connect(source: Duplex, beforeEnd?: Promise<unknown>): void {
    if (this.destroyed) {
      source.destroy();
      return;
    }
    this.#source = source;
    const finish = () => {
      if (beforeEnd === undefined) this.push(null);
      else
        void beforeEnd.then(
          () => this.push(null),
          () => this.push(null),
        );
    };
    let isOver = false;
    const end = () => {
      if (!isOver) finish();
      isOver = true;
    };
    source.on('data', (chunk: Buffer) => {
      if (!this.destroyed && !this.readableEnded && !this.push(chunk)) source.pause();
    });
    source.once('end', end);
    source.once('close', end);
    source.on('error', end);
    for (const { chunk, done } of this.#waiting.splice(0)) this.#forward(chunk, done);
    if (this.#ended) source.end();
    // Reading may have begun before there was anything to read: it would not ask again.
    source.resume();
  }

  /** The other side never comes. */
  abandon(): void {
    if (this.#source === undefined) this.push(null);
  }

  override _read(): void {
    this.#source?.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const { pass, detach } = this.#options.filter?.(chunk) ?? { pass: chunk, detach: false };
    if (detach) {
      this.#options.onDetach?.();
      this.push(null);
      done();
      this.#source?.destroy();
      return;
    }
    if (this.#source === undefined) this.#waiting.push({ chunk: pass, done });
    else this.#forward(pass, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#ended = true;
    this.#source?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#source?.destroy();
    for (const waiting of this.#waiting.splice(0)) waiting.done();
    done(error);
  }

  #forward(chunk: Buffer, done: (error?: Error | null) => void): void {
    const source = this.#source;
    if (source === undefined || source.destroyed || source.writableEnded || chunk.length === 0)
      done();
    else source.write(chunk, () => done());
  }
}

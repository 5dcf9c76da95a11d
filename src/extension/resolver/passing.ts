/** A byte stream as the editor wants its connections: events and calls. Knows no editor at run time. */
import type { Duplex } from 'node:stream';
import type { Listen, MessagePassing } from './api.ts';

/** Reading begins with the first listener: nothing that the server says is lost before. */
export function passingOf(stream: Duplex): MessagePassing {
  const received = new Source<Uint8Array>(() => {
    stream.on('data', (chunk: Buffer) => received.tell(chunk));
  });
  const ended = new Source<undefined>();
  const closed = new Source<Error | undefined>();
  let reason: Error | undefined;
  stream.on('error', (error) => (reason = error));
  stream.on('end', () => ended.tell(undefined));
  stream.on('close', () => {
    closed.tell(reason);
    for (const source of [received, ended, closed]) source.forget();
  });
  return {
    onDidReceiveMessage: received.event,
    onDidEnd: ended.event,
    onDidClose: closed.event,
    send: (data) => {
      if (stream.writable) stream.write(data);
    },
    end: () => stream.end(),
    drain: async () => {
      if (!stream.writableNeedDrain) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          stream.off('drain', done);
          stream.off('close', done);
          resolve();
        };
        stream.on('drain', done);
        stream.on('close', done);
      });
    },
  };
}

/** The least that an event of the editor's API is. */
export class Source<T> {
  private readonly listeners = new Set<(value: T) => void>();
  private first: (() => void) | undefined;

  constructor(first?: () => void) {
    this.first = first;
  }

  readonly event: Listen<T> = (listener, thisArgs, disposables) => {
    const call = (value: T): void => {
      listener.call(thisArgs, value);
    };
    this.listeners.add(call);
    const { first } = this;
    this.first = undefined;
    first?.();
    const subscription = { dispose: () => void this.listeners.delete(call) };
    disposables?.push(subscription);
    return subscription;
  };

  tell(value: T): void {
    for (const listener of [...this.listeners]) listener(value);
  }

  forget(): void {
    this.listeners.clear();
  }
}

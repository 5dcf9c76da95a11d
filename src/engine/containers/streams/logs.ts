/** Serves a container's log: tail, since, until, timestamps, follow. It ends when the container has ended and everything is read, and it never polls. */

import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import type { LogOptions } from '../types.ts';
import { frame } from './frames.ts';
import { LogCursor, parseEntry } from './log-files.ts';
import type { LogEntry } from './log-files.ts';

export interface LogSource {
  readonly path: string;
  readonly tty: boolean;
  /** True while more may be written. */
  isOpen(): boolean;
  /** Calls back when that may have changed; returns the end of the subscription. */
  onClose(listener: () => void): () => void;
}

/** The log as a stream of frames (raw with a tty). */
export function readLogs(source: LogSource, options: LogOptions, signal: AbortSignal): Readable {
  const stream = Readable.from(entries(source, options, signal), {
    objectMode: false,
    highWaterMark: 64 << 10,
  });
  const stop = () => stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', stop));
  return stream;
}

async function* entries(
  source: LogSource,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const cursor = new LogCursor(source.path);
  const bell = new Bell();
  if (options.follow) bell.hang(source, options.untilNano, signal);
  try {
    await cursor.begin(options.tail);
    for (;;) {
      // Asked before reading: what is written before the end is then read for certain.
      const isOpen = options.follow && source.isOpen() && !bell.isOver;
      const heard = bell.count;
      for (let lines = await cursor.next(); lines !== undefined; lines = await cursor.next()) {
        const { data, isPast } = select(lines, source.tty, options);
        if (data.length > 0) yield data;
        if (isPast) return;
      }
      if (!isOpen || signal.aborted) return;
      await bell.wait(heard);
    }
  } finally {
    bell.close();
    await cursor.close();
  }
}

function select(
  lines: readonly string[],
  tty: boolean,
  options: LogOptions,
): { data: Buffer; isPast: boolean } {
  const parts: Buffer[] = [];
  for (const line of lines) {
    const entry = parseEntry(line);
    if (entry === undefined) continue;
    if (options.sinceNano !== undefined || options.untilNano !== undefined) {
      const nano = toNano(entry.time);
      if (options.untilNano !== undefined && nano > options.untilNano)
        return { data: Buffer.concat(parts), isPast: true };
      if (options.sinceNano !== undefined && nano < options.sinceNano) continue;
    }
    if (entry.stream === 'stderr' ? !options.stderr : !options.stdout) continue;
    const text = Buffer.from(options.timestamps ? `${fixedTime(entry)} ${entry.log}` : entry.log);
    parts.push(tty ? text : frame(entry.stream, text));
  }
  return { data: Buffer.concat(parts), isPast: false };
}

/** Nanoseconds since the epoch, exact to about a microsecond. */
export function toNano(time: string): number {
  const match = /^(.*?)(?:\.([0-9]+))?(Z|[+-][0-9:]+)$/.exec(time);
  const [, whole = '', fraction = '', zone = 'Z'] = match ?? [];
  return Date.parse(`${whole}${zone}`) * 1e6 + Number(fraction.padEnd(9, '0').slice(0, 9));
}

/** Docker prints nine digits always. */
function fixedTime(entry: LogEntry): string {
  const match = /^(.*?)(?:\.([0-9]+))?(Z|[+-][0-9:]+)$/.exec(entry.time);
  const [, whole = entry.time, fraction = '', zone = 'Z'] = match ?? [];
  return `${whole}.${fraction.padEnd(9, '0').slice(0, 9)}${zone}`;
}

/** Rings when the log's folder changes, the container ends, or `until` passes. */
class Bell {
  count = 0;
  isOver = false;
  readonly #closers: (() => void)[] = [];
  #waiter: (() => void) | undefined;

  hang(source: LogSource, untilNano: number | undefined, signal: AbortSignal): void {
    const ring = () => {
      this.count++;
      this.#waiter?.();
    };
    const watcher = watch(dirname(source.path), { persistent: false }, ring);
    watcher.on('error', ring);
    signal.addEventListener('abort', ring);
    this.#closers.push(
      () => watcher.close(),
      source.onClose(ring),
      () => signal.removeEventListener('abort', ring),
    );
    if (untilNano === undefined) return;
    const delay = Math.min(Math.max(untilNano / 1e6 - Date.now(), 0), 2 ** 31 - 1);
    const timer = setTimeout(() => {
      this.isOver = true;
      ring();
    }, delay);
    this.#closers.push(() => clearTimeout(timer));
  }

  /** Resolves at once when it rang since `heard`. */
  async wait(heard: number): Promise<void> {
    if (this.count !== heard) return;
    await new Promise<void>((resolve) => {
      this.#waiter = resolve;
    });
    this.#waiter = undefined;
  }

  close(): void {
    for (const close of this.#closers.splice(0)) close();
    this.#waiter?.();
  }
}

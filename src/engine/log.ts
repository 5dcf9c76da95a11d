/** Owns the engine's log file: one line an entry, never more than its bound. The file is shared with what the process prints by itself, so it is cut in place. */

import { EngineError, messageOf } from '../lib/errors.ts';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  close(): void;
}

const MAX_BYTES = 1024 * 1024;
/** What is kept of a full log. */
const KEPT_BYTES = 256 * 1024;

/** Appends to `path`; with `echo` each line goes to standard error too. */
export function openLog(
  path: string,
  options: {
    readonly echo: 'stderr' | 'none';
    readonly clock: () => Date;
    readonly maxBytes?: number;
  },
): Log {
  const fd = openSync(path, 'a+', 0o600);
  const limit = options.maxBytes ?? MAX_BYTES;
  const write = (level: string, message: string): void => {
    const line = `${options.clock().toISOString()} ${level} ${message.replaceAll('\n', '\n    ')}\n`;
    if (options.echo === 'stderr') process.stderr.write(line);
    try {
      if (fstatSync(fd).size > limit) shorten(fd, Math.min(KEPT_BYTES, Math.floor(limit / 2)));
      writeSync(fd, line);
    } catch {
      // A full disk must not end the engine for the sake of its log.
    }
  };
  return {
    info: (message) => write('info', message),
    warn: (message) => write('warn', message),
    error: (message) => write('error', message),
    close: () => closeSync(fd),
  };
}

/** Keeps the last whole lines. All writers append (O_APPEND), so truncating is safe for them. */
function shorten(fd: number, kept: number): void {
  const { size } = fstatSync(fd);
  const tail = Buffer.alloc(Math.min(kept, size));
  const length = readSync(fd, tail, 0, tail.length, size - tail.length);
  const start = tail.indexOf(0x0a) + 1;
  ftruncateSync(fd, 0);
  writeSync(fd, tail.subarray(start, length));
}

/** An error as the log wants it: a bug with its stack, a known failure with its words alone. */
export function describe(error: unknown): string {
  if (error instanceof EngineError && error.kind !== 'internal') return error.message;
  return error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
}

/**
 * Owns when committed snapshots reach the disk. A snapshot's row is durable at once, its files are not: one
 * syncfs(2) a while after the last commit (or on demand) covers all of them, and only then are the rows marked
 * `synced`. After a power cut (another boot id) rows without the mark are not believed.
 */

import { readFile } from 'node:fs/promises';
import { messageOf } from '../../lib/errors.ts';

/** Quiet time after a commit before the background flush, and the longest it may be put off. */
const QUIET_MS = 2000;
const LONGEST_MS = 15_000;

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

export interface FlushWork {
  /** The names that are not synced yet. */
  pending(): string[];
  /** syncfs(2) on the store's file system. */
  sync(): Promise<void>;
  done(names: readonly string[]): void;
  warn(message: string): void;
}

/** At most one sync runs at a time; callers of `flush` share it. */
export class Flusher {
  readonly #work: FlushWork;
  #timer: NodeJS.Timeout | undefined;
  #firstAsked = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(work: FlushWork) {
    this.#work = work;
  }

  /** Asks for a flush soon, without waiting. */
  soon(): void {
    const now = performance.now();
    if (this.#timer === undefined) this.#firstAsked = now;
    clearTimeout(this.#timer);
    const wait = Math.max(0, Math.min(QUIET_MS, this.#firstAsked + LONGEST_MS - now));
    this.#timer = setTimeout(() => {
      this.flush().catch((error: unknown) => {
        this.#work.warn(`snapshots could not be flushed to the disk: ${messageOf(error)}`);
      });
    }, wait);
    this.#timer.unref();
  }

  /** Everything committed before the call is durable when this resolves. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const run = async (): Promise<void> => {
      const names = this.#work.pending();
      if (names.length === 0) return;
      await this.#work.sync();
      this.#work.done(names);
    };
    const next = this.#running.then(run, run);
    this.#running = next.catch(() => undefined);
    return next;
  }
}

/** Names this run of the kernel; another one than before means that the machine may have lost power. */
export async function readBootId(): Promise<string> {
  return (await readFile(BOOT_ID, 'utf8')).trim();
}

/** Keeps what is asked for in the background. A look-up answers at once with what is known and starts the asking. */
import type { Known } from '../features/completion/images.ts';

interface Entry<T> {
  value: T | undefined;
  /** Milliseconds of the clock until which the value is fresh. */
  until: number;
  pending: boolean;
  /** Settles when what is pending has come or failed. */
  settled: Promise<void>;
}

export interface CacheOptions {
  /** Milliseconds. */
  readonly fresh: number;
  /** Milliseconds after which a failure is tried again. */
  readonly retry: number;
  readonly clock?: () => number;
  /** Called when an answer comes that is another than the one before. */
  readonly arrived?: () => void;
  /** Called when an asking failed; it counts as nothing known all the same. */
  readonly failed?: (error: unknown) => void;
}

/** What an asking throws that was given up before it began: it is made anew as soon as it is wanted again. */
export class GivenUp extends Error {}

/** More are forgotten, the oldest first. */
const LIMIT = 200;

export class Cache<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private readonly options: CacheOptions;

  constructor(options: CacheOptions) {
    this.options = options;
  }

  /** What is known of the key; `load` is called when that is nothing or stale. Its failures count as nothing known. */
  get(key: string, load: () => Promise<T>): Known<T> {
    const now = this.now();
    const entry = this.entries.get(key) ?? newEntry<T>();
    if (!entry.pending && now >= entry.until) this.refresh(key, entry, load);
    return { value: entry.value, pending: entry.pending && entry.value === undefined };
  }

  /** As `get`, but when nothing is known yet it waits for at most so many milliseconds. */
  async within(key: string, load: () => Promise<T>, limit: number): Promise<Known<T>> {
    const known = this.get(key, load);
    const entry = this.entries.get(key);
    if (!known.pending || entry === undefined) return known;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, limit)));
    await Promise.race([entry.settled, late]);
    clearTimeout(timer);
    return { value: entry.value, pending: entry.pending && entry.value === undefined };
  }

  /** Asks again for everything; what is being asked for is not kept. */
  clear(): void {
    this.entries.clear();
  }

  private refresh(key: string, entry: Entry<T>, load: () => Promise<T>): void {
    entry.pending = true;
    this.entries.delete(key);
    this.entries.set(key, entry);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= LIMIT) break;
      this.entries.delete(oldest);
    }
    entry.settled = load()
      .then((value) => {
        const isNew = JSON.stringify(value) !== JSON.stringify(entry.value);
        entry.value = value;
        entry.until = this.now() + this.options.fresh;
        if (isNew) this.options.arrived?.();
      })
      .catch((error: unknown) => {
        if (error instanceof GivenUp) return;
        // Not known is an answer too; it is asked again later.
        this.options.failed?.(error);
        entry.until = this.now() + this.options.retry;
      })
      .finally(() => {
        entry.pending = false;
      });
  }

  private now(): number {
    return (this.options.clock ?? Date.now)();
  }
}

function newEntry<T>(): Entry<T> {
  return { value: undefined, until: -Infinity, pending: false, settled: Promise.resolve() };
}

/** Owns taking layers' directories off the disk, at once or in the background. Whoever calls it has removed their rows first. */

import { join } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import type { LayerVerbs, Places } from './types.ts';

/** Holds the removals under way. A killed engine's are done by the next start, since no row names the directories. */
export class Removals {
  readonly #parts: {
    readonly places: Places;
    readonly native: LayerVerbs;
    readonly warn: (message: string) => void;
  };
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(parts: { places: Places; native: LayerVerbs; warn: (message: string) => void }) {
    this.#parts = parts;
  }

  async now(names: readonly string[], options: { signal?: AbortSignal } = {}): Promise<void> {
    if (names.length === 0) return;
    const dirs = names.map((name) => join(this.#parts.places.snapshotsDir, name));
    await this.#parts.native.call(['layer', 'remove'], { dirs }, options);
  }

  /** Removing many files may take long: it is not waited for. */
  later(names: readonly string[]): void {
    const { signal } = this.#stop;
    const work = this.now(names, { signal })
      .catch((error: unknown) => {
        if (signal.aborted) return;
        this.#parts.warn(
          `removed layers could not be taken off the disk and are tried again at the next start: ${messageOf(error)}`,
        );
      })
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Leaves what is not removed yet to the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.idle();
  }
}

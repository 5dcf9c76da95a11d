/** Gathers changes and tells them at most once a frame and kind. Holds nothing but what was not yet told. */
import type { Listener } from '../engine/engines.ts';
import type { Change, HoldingKind } from './store.ts';

const FRAME = 30;

export class Announcer {
  private readonly listeners = new Set<(change: Change) => void>();
  private pending = new Map<HoldingKind, Set<string> | 'all'>();
  private timer: NodeJS.Timeout | undefined;
  private last = Number.NEGATIVE_INFINITY;

  listen(listener: (change: Change) => void): Listener {
    this.listeners.add(listener);
    return { dispose: () => void this.listeners.delete(listener) };
  }

  add({ kind, ids }: Change): void {
    const before = this.pending.get(kind);
    if (ids === 'all' || before === 'all') this.pending.set(kind, 'all');
    else this.pending.set(kind, before === undefined ? new Set(ids) : new Set([...before, ...ids]));
    // The first change after a quiet time is told at once.
    const wait = Math.max(0, this.last + FRAME - performance.now());
    this.timer ??= setTimeout(() => this.tell(), wait);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listeners.clear();
    this.pending.clear();
  }

  private tell(): void {
    this.timer = undefined;
    this.last = performance.now();
    const pending = this.pending;
    this.pending = new Map();
    for (const [kind, ids] of pending)
      for (const listener of [...this.listeners]) listener({ kind, ids });
  }
}

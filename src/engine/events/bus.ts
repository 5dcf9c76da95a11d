/** Owns the engine's events: hands them to subscribers and keeps the last 1,024. It knows no filters and no wire. */

import type { EngineEvent, EventBus } from './types.ts';

const KEPT = 1024;

/** Nanoseconds since the epoch, strictly increasing (a double holds them to about 256 ns). */
export type Clock = () => number;

/** A bus with its own ring; a listener that throws is reported and does not disturb the others. */
export function createEventBus(options: {
  readonly clock?: Clock;
  readonly onError: (error: unknown) => void;
}): EventBus {
  const clock = options.clock ?? systemClock();
  const ring: EngineEvent[] = [];
  const listeners = new Set<(event: EngineEvent) => void>();
  return {
    emit(type, action, actor) {
      const timeNano = clock();
      const event: EngineEvent = {
        Type: type,
        Action: action,
        Actor: { ID: actor.ID, Attributes: { ...actor.Attributes } },
        scope: 'local',
        time: Math.floor(timeNano / 1e9),
        timeNano,
      };
      ring.push(event);
      if (ring.length > KEPT) ring.shift();
      for (const listener of [...listeners]) {
        try {
          listener(event);
        } catch (error) {
          options.onError(error);
        }
      }
    },
    subscribe(listener, subscription = {}) {
      const { sinceNano } = subscription;
      if (sinceNano !== undefined)
        for (const event of ring) if (event.timeNano >= sinceNano) listener(event);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Wall time in nanoseconds that never repeats; it waits while the machine's clock is set back. */
function systemClock(): Clock {
  let last = 0;
  return () => {
    last = Math.max(Date.now() * 1e6, last + 512);
    return last;
  };
}

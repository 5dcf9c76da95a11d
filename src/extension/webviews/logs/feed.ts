/** Between the log and the view: collects lines while the view draws, sends them in batches, and lets the log wait when too many are waiting. */
import type { LogReader } from './source.ts';
import type { LogLine, ToView } from './messages.ts';

/** Of one message: what a view takes in well under a frame. */
const BATCH = 2000;
/** Messages under way at once: one is drawn while the next travels. */
const FLYING = 2;
/** Lines that may wait here before the log has to. */
const WAITING = 8000;

export interface Feed extends LogReader {
  /** The view has drawn the last batch. */
  more(): void;
}

export function createFeed(send: (message: ToView) => void): Feed {
  const waiting: LogLine[] = [];
  let flying = 0;
  let release: (() => void) | undefined;
  const flush = (): void => {
    while (flying < FLYING && waiting.length > 0) {
      flying += 1;
      send({ type: 'lines', lines: waiting.splice(0, BATCH) });
    }
    if (waiting.length < WAITING) {
      release?.();
      release = undefined;
    }
  };
  return {
    lines: async (lines) => {
      for (const line of lines) waiting.push(line);
      flush();
      if (waiting.length < WAITING) return;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      release = () => resolve(undefined);
      await promise;
    },
    state: (text, { live }) => send({ type: 'state', text, live }),
    more: () => {
      flying = Math.max(0, flying - 1);
      flush();
    },
  };
}

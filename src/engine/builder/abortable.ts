/** Waiting that a cancelled build ends: the work itself may belong to another build and goes on. */

import { EngineError } from '../../lib/errors.ts';

/** Settles as the promise does, or rejects with `cancelled` when the signal aborts first. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new EngineError('cancelled', 'the build was cancelled', { cause: signal.reason }));
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}

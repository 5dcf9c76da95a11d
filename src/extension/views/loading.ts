/** Waits for a live store's first answer, so that a tree shows progress and not emptiness. Pure. */
import type { LiveStore } from '../live/store.ts';

/** Resolves at once unless the store is loading; then when it has its first answer, or has stopped loading. */
export async function firstAnswer(live: LiveStore): Promise<void> {
  if (live.state !== 'loading') return;
  await new Promise<void>((resolve, reject) => {
    const heard = live.onDidChangeState(() => {
      if (live.state !== 'loading') done();
    });
    const done = (): void => {
      heard.dispose();
      resolve();
    };
    live.loaded().then(done, (error: unknown) => {
      heard.dispose();
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

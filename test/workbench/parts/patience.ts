/** How long the workbench may take: generous, since machines are busy; every wait ends as soon as its condition holds. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that a single step may take; PINNACE_PATIENCE is for whoever writes a test and wants to see it fail soon. */
export const PATIENCE = Number(process.env['PINNACE_PATIENCE'] ?? 30_000);

/** Asks again until the answer is neither undefined, false nor an empty text. Throws after the patience, naming what was awaited and the last error. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  patience = PATIENCE,
): Promise<T> {
  const deadline = performance.now() + patience;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false && answer !== '') return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline)
      throw new Error(`${what}: not within ${patience} ms`, { cause: last });
    await sleep(50);
  }
}

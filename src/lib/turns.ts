/** Work that waits for its turn: a few pieces at a time. Pure; it knows nothing of what is done. */

export type Slot = <T>(work: () => Promise<T>) => Promise<T>;

/** At most `count` pieces of work at a time, in the order of their asking. */
export function slots(count: number): Slot {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free--;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

/** Does the work for every item, `count` at a time; the first failure stops what has not begun and is thrown when the rest has ended. */
export async function inTurns<T>(
  count: number,
  items: readonly T[],
  work: (item: T, at: number) => Promise<void>,
): Promise<void> {
  const slot = slots(count);
  const failures: unknown[] = [];
  const one = async (item: T, at: number): Promise<void> => {
    if (failures.length > 0) return;
    try {
      await work(item, at);
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(items.map((item, at) => slot(() => one(item, at))));
  if (failures.length > 0) throw failures[0];
}

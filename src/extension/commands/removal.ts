/** What is asked before things are removed: the same for every kind. Removes nothing itself. */
import { EngineError } from '../../lib/errors.ts';
import type { Desk } from './desk.ts';
import type { Named } from './each.ts';

/** Asks whether it is to be removed; the notes stand below the names. */
export function confirmRemoval(
  desk: Desk,
  { what, list }: Named,
  ...notes: readonly string[]
): Promise<boolean> {
  const detail = [list, ...notes].filter((line) => line !== '').join('\n');
  return desk.confirm({ message: `Remove ${what}?`, detail, action: 'Remove' });
}

export interface Unused<T> {
  readonly nameless: {
    readonly items: readonly T[];
    readonly detail: string;
    /** The error where there is none. */
    readonly none: string;
  };
  readonly all: { readonly items: readonly T[]; readonly detail: string };
  readonly describe: (items: readonly T[]) => string;
}

/** Which of the unused things are to go: those without a name, or all. Throws `conflict` where the chosen are none. */
export async function pickUnused<T>(
  desk: Desk,
  title: string,
  { nameless, all, describe }: Unused<T>,
): Promise<readonly T[] | undefined> {
  const item = (label: string, { items, detail }: Unused<T>['all']) => ({
    label,
    detail,
    value: items,
    description: describe(items),
  });
  const chosen = await desk.pick<readonly T[]>(title, [
    item('Without a Name', nameless),
    item('All Unused', all),
  ]);
  if (chosen?.length === 0) throw new EngineError('conflict', nameless.none);
  return chosen;
}

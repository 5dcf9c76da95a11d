/** Does one thing to several objects: side by side, with progress and cancel, going on after a failure and telling all failures in one error. */
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import { inTurns } from '../../lib/turns.ts';
import type { Desk, Step } from './desk.ts';

/** How many requests are under way at once: a stop waits up to ten seconds, a hundred of them must not. */
const AT_ONCE = 8;

export interface Work<T> {
  /** `Stopping`: the progress says `Stopping web` or `Stopping 3 containers`. */
  readonly doing: string;
  /** `stop`: the error says `could not stop web: …`. */
  readonly verb: string;
  /** `container`, `image`. */
  readonly one: string;
  readonly items: readonly T[];
  readonly name: (item: T) => string;
  readonly run: (item: T, signal: AbortSignal, report: (step: Step) => void) => Promise<unknown>;
}

/**
 * Resolves to the items that it was done to. Throws one EngineError that names each that failed, of the kind of the first;
 * `cancelled` when the user cancelled, after the requests under way have ended.
 */
export async function forEach<T>(desk: Desk, work: Work<T>): Promise<readonly T[]> {
  const { items, name, one } = work;
  const [only] = items;
  const what = items.length === 1 && only !== undefined ? name(only) : count(items.length, one);
  const failures: { readonly item: T; readonly error: unknown }[] = [];
  const done: T[] = [];
  await desk.progress(`${work.doing} ${what}`, async (signal, report) => {
    const step = 100 / items.length;
    await inTurns(AT_ONCE, items, async (item) => {
      if (signal.aborted) return;
      try {
        await work.run(item, signal, items.length === 1 ? report : () => undefined);
        done.push(item);
      } catch (error) {
        failures.push({ item, error });
      }
      if (items.length > 1) report({ message: name(item), increment: step });
    });
    if (signal.aborted) throw new EngineError('cancelled', `${work.verb} was cancelled`);
  });
  const real = failures.filter(({ error }) => kindOf(error) !== 'cancelled');
  const [first] = real;
  if (first !== undefined) throw failureOf(work, real, first);
  return done;
}

function failureOf<T>(
  { verb, one, items, name }: Work<T>,
  failures: readonly { readonly item: T; readonly error: unknown }[],
  first: { readonly item: T; readonly error: unknown },
): EngineError {
  const reasons = failures.map(({ item, error }) => `${name(item)}: ${messageOf(error)}`);
  const message =
    items.length === 1
      ? `Could not ${verb} ${reasons.join('')}`
      : `Could not ${verb} ${String(failures.length)} of ${count(items.length, one)}. ${reasons.join(' · ')}`;
  return new EngineError(kindOf(first.error), message, { cause: first.error });
}

/** `1 image`, `3 images`. */
export function count(number: number, one: string): string {
  return `${String(number)} ${one}${number === 1 ? '' : 's'}`;
}

export interface Named {
  readonly what: string;
  /** Empty for a single thing. */
  readonly list: string;
}

/** What a question says it is about: the name, or the number with the names below it. */
export function named<T>(items: readonly T[], one: string, name: (item: T) => string): Named {
  const [only] = items;
  if (items.length === 1 && only !== undefined) return { what: `${one} ${name(only)}`, list: '' };
  const names = items.slice(0, 10).map(name);
  const rest = items.length - names.length;
  const list = [...names, ...(rest > 0 ? [`and ${String(rest)} more`] : [])].join(', ');
  return { what: count(items.length, one), list };
}

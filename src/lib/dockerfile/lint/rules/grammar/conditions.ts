/** Says what of a script is only asked for its status: conditions, and what stands before `&&` or `||`. */
import type { Script } from '../../shell/script.ts';
import type { Range } from '../../../syntax.ts';

/** The ranges of a script whose status is tested. */
export function conditionsOf({ commands, logicals }: Script): readonly Range[] {
  const found: Range[] = [];
  for (const command of commands) {
    const tests =
      command.kind === 'if'
        ? command.branches.map(({ condition }) => condition)
        : command.kind === 'while' || command.kind === 'until'
          ? [command.condition]
          : [];
    for (const { items } of tests) {
      const last = items.at(-1)?.node.range;
      if (last !== undefined) found.push(last);
    }
  }
  for (const { parts } of logicals) {
    const [first] = parts;
    const last = parts.at(-2);
    if (first !== undefined && last !== undefined)
      found.push({ start: first.range.start, end: last.range.end });
  }
  return found;
}

/** Whether a range lies in one of those. */
export function isTested({ start, end }: Range, conditions: readonly Range[]): boolean {
  return conditions.some((range) => range.start <= start && end <= range.end);
}

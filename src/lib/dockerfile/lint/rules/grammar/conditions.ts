/** Says what of a script is only asked for its status: conditions, and what stands before `&&` or `||`. */
import type { Script } from '../../shell/script.ts';
import { Latest } from '../../../../text/latest.ts';
import type { Range } from '../../../syntax.ts';

/** By script: the outermost of its tested ranges, in order; those within them say nothing more. */
const known = new Latest<Script, readonly Range[]>();

/** Whether the status of a range is tested. */
export function isTested(script: Script, { start, end }: Range): boolean {
  const ranges = known.of(script, (whole) => outermost(testedIn(whole)));
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.end ?? 0) < end) low = middle + 1;
    else high = middle;
  }
  const found = ranges[low];
  return found !== undefined && found.start <= start;
}

function testedIn({ commands, logicals }: Script): Range[] {
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

function outermost(ranges: Range[]): readonly Range[] {
  let end = -1;
  return ranges
    .sort((a, b) => a.start - b.start || b.end - a.end)
    .filter((range) => {
      if (range.end <= end) return false;
      end = range.end;
      return true;
    });
}

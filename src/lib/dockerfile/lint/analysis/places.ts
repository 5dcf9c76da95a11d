/** Finds the instruction and the text at a place of the file. */
import type { Dockerfile, Instruction, Problem, Range } from '../../syntax.ts';

/** The instruction that an offset lies in; within ONBUILD the deferred one. */
export function instructionAt(
  { instructions }: Dockerfile,
  offset: number,
): Instruction | undefined {
  let low = 0;
  let high = instructions.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((instructions[middle]?.range.start ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const found = instructions[low];
  if (found === undefined || offset < found.range.start || offset > found.range.end)
    return undefined;
  const inner = found.kind === 'ONBUILD' ? found.instruction : undefined;
  return inner !== undefined && offset >= inner.keyword.range.start ? inner : found;
}

/** A problem's place as offsets. */
export function offsetsOf({ range }: Pick<Problem, 'range'>): Range {
  return { start: range.start.offset, end: range.end.offset };
}

/** The file's text of a range. */
export function textOf({ text }: Dockerfile, { start, end }: Range): string {
  return text.slice(start, end);
}

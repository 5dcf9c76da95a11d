/** Finds what stands at an offset of a parsed file: the instruction, its stage. Every look-up is by halving. */
import type { Dockerfile, Instruction, Range, Stage } from '../syntax.ts';

/** The last item that begins at or before the offset; items are sorted and do not overlap. */
export function lastBefore<T extends { readonly range: Range }>(
  items: readonly T[],
  offset: number,
): T | undefined {
  let low = 0;
  let high = items.length - 1;
  let found: T | undefined;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item === undefined) break;
    if (item.range.start <= offset) {
      found = item;
      low = middle + 1;
    } else high = middle - 1;
  }
  return found;
}

/** The instruction that the offset touches: on its lines, or at their end. */
export function instructionAt(file: Dockerfile, offset: number): Instruction | undefined {
  const found = lastBefore(file.instructions, offset);
  return found !== undefined && offset <= found.range.end ? found : undefined;
}

/** The stage whose FROM stands before the offset; lines behind a stage's last instruction belong to it too. */
export function stageAt(file: Dockerfile, offset: number): Stage | undefined {
  return lastBefore(file.stages, offset);
}

/** True when the offset lies in a range or at one of its ends. */
export function touches({ start, end }: Range, offset: number): boolean {
  return offset >= start && offset <= end;
}

/** The instruction itself, or the one that ONBUILD defers. */
export function heldBy(instruction: Instruction): Instruction | undefined {
  return instruction.kind === 'ONBUILD' ? instruction.instruction : instruction;
}

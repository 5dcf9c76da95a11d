/** Selection ranges: from the word outwards to the argument, the instruction, its stage and the file. */
import type { SelectionRange } from 'vscode-languageserver/node';
import { occurrenceAt } from '../../../src/lib/dockerfile/scope/names.ts';
import {
  heldBy,
  instructionAt,
  lastBefore,
  stageAt,
  touches,
} from '../../../src/lib/dockerfile/scope/places.ts';
import { visitShell } from '../../../src/lib/dockerfile/shell/walk.ts';
import type { Dockerfile, Instruction, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { namesIn, scriptsIn } from '../../facts.ts';
import { rangeAt } from '../positions.ts';

/** The chain for one offset, the innermost range first. */
export function selectionAt(file: Dockerfile, offset: number): SelectionRange {
  const ranges: Range[] = [{ start: 0, end: file.text.length }];
  const stage = stageAt(file, offset);
  if (stage !== undefined && touches(stage.range, offset)) ranges.push(stage.range);
  const instruction = instructionAt(file, offset);
  if (instruction !== undefined) ranges.push(...within(file, instruction, offset));
  ranges.push(...outside(file, offset));
  const name = occurrenceAt(namesIn(file), offset);
  if (name !== undefined) ranges.push(name.range);
  return chain(file, ranges, offset);
}

/** The comment or directive at the offset, and a directive's value. */
function outside({ comments, directives }: Dockerfile, offset: number): Range[] {
  const comment = lastBefore(comments, offset);
  const found = comment === undefined ? [] : [comment.range];
  for (const one of [directives.syntax, directives.escape, directives.check])
    if (one !== undefined) found.push(one.range, one.valueRange);
  return found;
}

/** The line of a body that is no script. */
function bodyLine({ text }: Dockerfile, { start, end }: Range, offset: number): Range {
  const from = Math.max(start, text.lastIndexOf('\n', offset - 1) + 1);
  const newline = text.indexOf('\n', offset);
  const to = newline < 0 || newline > end ? end : newline;
  return { start: from, end: text[to - 1] === '\r' ? to - 1 : to };
}

function within(file: Dockerfile, instruction: Instruction, offset: number): Range[] {
  const found: Range[] = [instruction.range];
  const inner = heldBy(instruction);
  if (inner !== undefined && inner !== instruction) found.push(inner.range);
  const held = inner ?? instruction;
  found.push(held.keyword.range);
  if (held.argument.text !== '') found.push(held.argument.range);
  for (const { range, nameRange, value } of held.flags) {
    found.push(range, nameRange);
    if (value !== undefined) found.push(value.range);
  }
  if (held.kind === 'RUN') {
    for (const mount of held.mounts) {
      for (const { keyRange, value } of mount.options) {
        found.push(keyRange);
        if (value !== undefined)
          found.push(value.range, { start: keyRange.start, end: value.range.end });
      }
    }
  }
  found.push(...wordsOf(held));
  if ('heredocs' in held)
    for (const { range, contentRange } of held.heredocs) {
      found.push(range, contentRange);
      if (held.kind !== 'RUN' && touches(contentRange, offset))
        found.push(bodyLine(file, contentRange, offset));
    }
  found.push(...shellRanges(file, held));
  return found.filter((range) => touches(range, offset));
}

function wordsOf(instruction: Instruction): Range[] {
  switch (instruction.kind) {
    case 'FROM':
      return [instruction.image, instruction.name].flatMap((word) => word?.range ?? []);
    case 'COPY':
    case 'ADD':
      return [...instruction.sources, instruction.dest].map(({ range }) => range);
    case 'ENV':
    case 'LABEL':
    case 'ARG':
      return instruction.pairs.flatMap(({ range, name, value }) => [
        range,
        name.range,
        ...(value === undefined ? [] : [value.range]),
      ]);
    case 'EXPOSE':
    case 'VOLUME':
    case 'SHELL':
      return instruction.words.map(({ range }) => range);
    case 'RUN':
    case 'CMD':
    case 'ENTRYPOINT':
    case 'HEALTHCHECK': {
      const { command } = instruction;
      return command?.form === 'exec' ? command.words.map(({ range }) => range) : [];
    }
    default:
      return [];
  }
}

function shellRanges(file: Dockerfile, instruction: Instruction): Range[] {
  const script = scriptsIn(file).find((use) => use.instruction === instruction)?.script;
  if (script === undefined) return [];
  const found: Range[] = [script.range];
  visitShell(script, {
    command: ({ range }) => void found.push(range),
    sequence: ({ range, items }) => {
      found.push(range, ...items.map(({ node }) => node.range));
    },
    word: ({ range }) => void found.push(range),
    part: ({ range }) => void found.push(range),
  });
  return found;
}

/** The ranges around the offset that contain one another; what only overlaps is left out. */
function chain(file: Dockerfile, ranges: readonly Range[], offset: number): SelectionRange {
  const sorted = ranges
    .filter((range) => touches(range, offset))
    .sort((a, b) => b.end - b.start - (a.end - a.start));
  let result: SelectionRange | undefined;
  let last: Range | undefined;
  for (const range of sorted) {
    if (last !== undefined) {
      const isInside = range.start >= last.start && range.end <= last.end;
      const isSame = range.start === last.start && range.end === last.end;
      if (!isInside || isSame) continue;
    }
    last = range;
    const own = rangeAt(file.lines, range);
    result = result === undefined ? { range: own } : { range: own, parent: result };
  }
  return result ?? { range: rangeAt(file.lines, { start: offset, end: offset }) };
}

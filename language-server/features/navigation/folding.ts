/** What can be folded: stages, instructions of several lines, heredocs and blocks of comments. */
import { type FoldingRange, FoldingRangeKind } from 'vscode-languageserver/node';
import type { Dockerfile, Instruction, Range } from '../../../src/lib/dockerfile/syntax.ts';

/** The folding ranges, sorted by their first line. */
export function foldingOf(file: Dockerfile): FoldingRange[] {
  const ranges: FoldingRange[] = [];
  const add = (range: Range, kind?: FoldingRangeKind): void => {
    const { start, end } = file.lines.span(range);
    if (end.line <= start.line) return;
    ranges.push({
      startLine: start.line,
      endLine: end.line,
      ...(kind === undefined ? {} : { kind }),
    });
  };
  for (const { range } of file.stages) add(range, FoldingRangeKind.Region);
  for (const instruction of file.instructions) {
    if (instruction.kind !== 'FROM') add(instruction.range);
    for (const range of heredocRanges(instruction)) add(range);
  }
  for (const range of commentBlocks(file)) add(range, FoldingRangeKind.Comment);
  for (const range of regions(file)) add(range, FoldingRangeKind.Region);
  return ranges.sort((a, b) => a.startLine - b.startLine || b.endLine - a.endLine);
}

/** Bodies of the second heredoc and later ones; the first folds with its instruction. */
function heredocRanges(instruction: Instruction): Range[] {
  const inner = instruction.kind === 'ONBUILD' ? instruction.instruction : instruction;
  if (inner === undefined || !('heredocs' in inner)) return [];
  return inner.heredocs
    .map(({ contentRange }) => contentRange)
    .filter(({ start, end }) => end > start)
    .map(({ start, end }) => ({ start, end: end - 1 }))
    .slice(1);
}

/** `# region` and `# endregion`, with a title or without. */
const MARKER = /^#\s*(end)?region\b/i;

/** From each mark to the one that ends it; those without an end are none. */
function regions({ comments }: Dockerfile): Range[] {
  const found: Range[] = [];
  const open: Range[] = [];
  for (const { text, range } of comments) {
    const marker = MARKER.exec(text);
    if (marker === null) continue;
    if (marker[1] === undefined) open.push(range);
    else {
      const start = open.pop();
      if (start !== undefined) found.push({ start: start.start, end: range.end });
    }
  }
  return found;
}

/** Comments on lines that follow each other; marks of regions part them. */
function commentBlocks({ comments, lines }: Dockerfile): Range[] {
  const blocks: { start: number; end: number }[] = [];
  let lastLine = -2;
  for (const { range, text } of comments) {
    if (MARKER.test(text)) {
      lastLine = -2;
      continue;
    }
    const { line } = lines.position(range.start);
    const block = line === lastLine + 1 ? blocks.at(-1) : undefined;
    if (block === undefined) blocks.push({ ...range });
    else block.end = range.end;
    lastLine = line;
  }
  return blocks;
}

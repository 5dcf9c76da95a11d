/**
 * Owns the turning of text offsets into lines and columns and back.
 * Offsets and columns count UTF-16 code units, as JavaScript strings and the Language Server Protocol do.
 */

/** A place in a text: `offset` from the start, `line` and `character` from zero. */
export interface Position {
  readonly offset: number;
  readonly line: number;
  readonly character: number;
}

/** Half-open offsets into a text: `start` is inside, `end` is not. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A range with lines and columns, as reports and editors want it. */
export interface Span {
  readonly start: Position;
  readonly end: Position;
}

/** The starts of a text's lines; a line ends with `\n` (an `\r` before it belongs to the line). */
export class LineIndex {
  readonly starts: readonly number[];
  readonly length: number;
  /** The line that was found last: who walks through a text asks for it or for the next one. No part of the value. */
  #last = 0;

  constructor(text: string) {
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.starts = starts;
    this.length = text.length;
  }

  /** The position of an offset; offsets outside the text are clamped to it. */
  position(offset: number): Position {
    const clamped = Math.max(0, Math.min(offset, this.length));
    const line = this.lineOf(clamped);
    this.#last = line;
    return { offset: clamped, line, character: clamped - (this.starts[line] ?? 0) };
  }

  private lineOf(offset: number): number {
    const { starts } = this;
    const last = this.#last;
    if (offset >= (starts[last] ?? 0)) {
      if (offset < (starts[last + 1] ?? Infinity)) return last;
      if (offset < (starts[last + 2] ?? Infinity)) return last + 1;
    }
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  span(range: Range): Span {
    return { start: this.position(range.start), end: this.position(range.end) };
  }

  /** The offset of a line and column (from zero), clamped to the line and the text. */
  offset(line: number, character: number): number {
    if (line < 0) return 0;
    const start = this.starts[line];
    if (start === undefined) return this.length;
    const end = this.starts[line + 1] ?? this.length;
    return Math.min(start + Math.max(0, character), end);
  }
}

/** The whole lines of a range, with the line break after them. */
export function linesAround(text: string, range: Range): Range {
  const start = text.lastIndexOf('\n', range.start - 1) + 1;
  const newline = text.indexOf('\n', Math.max(range.end - 1, start));
  return { start, end: newline < 0 ? text.length : newline + 1 };
}

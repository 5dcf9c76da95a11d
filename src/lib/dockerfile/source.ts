/**
 * Owns the map from an instruction's joined line back to the file: continuations and the comments between them are
 * taken out of the text, and every index still knows its offset.
 */
import type { Break, Range, Word } from './syntax.ts';

const NO_BREAKS: readonly Break[] = [];

/** A text put together from pieces of the file. `breaks` is sorted; its first entry has index 0. */
export class SourceText {
  readonly text: string;
  readonly breaks: readonly Break[];

  constructor(text: string, breaks: readonly Break[]) {
    this.text = text;
    this.breaks = breaks;
  }

  /** The file's offset of the character at `index`; the text's length gives the end of its last piece. */
  offset(index: number): number {
    return offsetIn(this.breaks, index);
  }

  /** Half-open indices to offsets; the end is the one after the last character, not the next piece's start. */
  range(start: number, end: number): Range {
    if (end <= start) {
      const at = start > 0 ? this.offset(start - 1) + 1 : this.offset(0);
      return { start: at, end: at };
    }
    return { start: this.offset(start), end: this.offset(end - 1) + 1 };
  }

  word(start: number, end: number): Word {
    const range = this.range(start, end);
    const text = this.text.slice(start, end);
    if (range.end - range.start === text.length) return { text, range, breaks: NO_BREAKS };
    const breaks: Break[] = [{ index: 0, offset: range.start }];
    for (let at = this.pieceOf(start) + 1; at < this.breaks.length; at++) {
      const piece = this.breaks[at];
      if (piece === undefined || piece.index >= end) break;
      breaks.push({ index: piece.index - start, offset: piece.offset });
    }
    return { text, range, breaks };
  }

  /** The breaks whose index lies in [start, end). */
  breaksBetween(start: number, end: number): readonly Break[] {
    const found: Break[] = [];
    let at = this.pieceOf(start);
    if ((this.breaks[at]?.index ?? start) < start) at++;
    for (; at < this.breaks.length; at++) {
      const piece = this.breaks[at];
      if (piece === undefined || piece.index >= end) break;
      found.push(piece);
    }
    return found;
  }

  private pieceOf(index: number): number {
    return pieceIn(this.breaks, index);
  }
}

/** A word whose text is not what the file says (decoded strings): positions in it are those of its range. */
export function decodedWord(text: string, range: Range): Word {
  return { text, range, breaks: NO_BREAKS };
}

/** A word that stands in no file, with offsets that count from its own start. */
export function plainWord(text: string): Word {
  return { text, range: { start: 0, end: text.length }, breaks: NO_BREAKS };
}

/** A part of a word; indices count in the word's text. */
export function subWord(word: Word, start: number, end: number): Word {
  if (word.breaks.length > 0) return new SourceText(word.text, word.breaks).word(start, end);
  const text = word.text.slice(start, end);
  const decoded = word.range.end - word.range.start !== word.text.length;
  if (decoded) return { text, range: word.range, breaks: NO_BREAKS };
  const base = word.range.start;
  return {
    text,
    range: { start: base + start, end: base + Math.max(start, end) },
    breaks: NO_BREAKS,
  };
}

/** The range in the file of a part of a word. */
export function rangeInWord(word: Word, start: number, end: number): Range {
  return subWord(word, start, end).range;
}

function offsetIn(breaks: readonly Break[], index: number): number {
  const piece = breaks[pieceIn(breaks, index)];
  return piece === undefined ? index : piece.offset + (index - piece.index);
}

function pieceIn(breaks: readonly Break[], index: number): number {
  let low = 0;
  let high = breaks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((breaks[middle]?.index ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

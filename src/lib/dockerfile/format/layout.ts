/**
 * Writes an instruction's white space anew: the gaps between its atoms, line by line. A gap that holds anything but
 * blanks, continuations, comments and empty lines is left as it is.
 */
import { trimSpace } from '../../text/characters.ts';
import type { TextEdit } from '../tree/document.ts';
import type { Atom } from './atoms.ts';
import type { FormatOptions } from './options.ts';

export interface LayoutContext {
  readonly text: string;
  /** The file's continuation character. */
  readonly escape: string;
  readonly options: FormatOptions;
}

/** A stretch of the file and what is to stand there. */
interface Piece {
  readonly start: number;
  readonly end: number;
  text: string;
  /** Indices in `text` at which continuation characters stand. */
  readonly continuations: readonly number[];
}

/** Edits for the atoms of one instruction; what lies behind the last one is the caller's. */
export function layOut(atoms: readonly Atom[], context: LayoutContext): TextEdit[] {
  const pieces: Piece[] = [];
  // A new line ends as the one before it.
  let newline = lineEndAt(context.text, atoms[0]?.range.start ?? 0);
  for (const [index, atom] of atoms.entries()) {
    const before = atoms[index - 1];
    if (before !== undefined) {
      const old = context.text.slice(before.range.end, atom.range.start);
      if (old.includes('\n')) newline = /\r?\n/.exec(old)?.[0] ?? newline;
      pieces.push(gapPiece(before.range.end, atom, { ...context, newline }));
    }
    pieces.push(atomPiece(atom, context.text));
  }
  if (context.options.continuations === 'column') align(pieces);
  return pieces.flatMap((piece) => editOf(piece, context.text));
}

function atomPiece({ range, from, text }: Atom, file: string): Piece {
  const source = from ?? range;
  // A piece over several lines (a continuation within a word) stays as it is written.
  const whole = text?.length === range.end - range.start;
  const written = whole ? text : file.slice(source.start, source.end);
  return { start: range.start, end: range.end, text: written, continuations: [] };
}

function gapPiece(
  start: number,
  atom: Atom,
  context: LayoutContext & { readonly newline: string },
): Piece {
  const end = atom.range.start;
  const old = context.text.slice(start, end);
  const kept = { start, end, text: old, continuations: [] };
  if (end < start) return { ...kept, end: start };
  const lines = old.includes('\n') ? linesIn(old, context) : [];
  if (lines === undefined) return kept;
  if (!old.includes('\n') && atom.ownLine !== true) {
    if (/[^ \t]/.test(old)) return kept;
    const space = atom.space === 'one' || (atom.space === 'any' && old !== '');
    return { ...kept, text: space ? ' ' : '' };
  }
  const indent = indentOf(atom.level, context.options);
  const { escape, newline } = context;
  const between = indentOf(Math.max(1, atom.level), context.options);
  const whole = lines.map((line) => between + line + newline);
  return {
    start,
    end,
    text: ` ${escape}${newline}${whole.join('')}${indent}`,
    continuations: [1],
  };
}

/** The line end of the line that an offset lies in; of the one before where there is none. */
export function lineEndAt(text: string, offset: number): string {
  const next = text.indexOf('\n', offset);
  const newline = next < 0 ? text.lastIndexOf('\n') : next;
  return newline > 0 && text.charCodeAt(newline - 1) === 13 ? '\r\n' : '\n';
}

function indentOf(level: number, { indent }: FormatOptions): string {
  return indent === 'tab' ? '\t'.repeat(level) : ' '.repeat(indent * level);
}

/**
 * What stands on lines of its own in a gap: comments, and a lone escape character for empty lines. Undefined when
 * something else stands there.
 */
function linesIn(gap: string, { escape, options }: LayoutContext): string[] | undefined {
  const found: string[] = [];
  const lines = gap.split('\n');
  let empty = 0;
  for (const [index, line] of lines.entries()) {
    const trimmed = trimSpace(line);
    const last = index === lines.length - 1;
    if (index === 0 || last) {
      if (trimmed !== '' && (trimmed !== escape || last)) return undefined;
    } else if (trimmed === '' || trimmed === escape) {
      if (++empty <= options.emptyLines) found.push(escape);
    } else {
      if (!trimmed.startsWith('#')) return undefined;
      empty = 0;
      found.push(trimmed);
    }
  }
  return found;
}

/** Moves the continuation characters of an instruction into one column. */
function align(pieces: readonly Piece[]): void {
  let column = 0;
  let widest = 0;
  const ends: { readonly piece: Piece; readonly column: number }[] = [];
  for (const piece of pieces) {
    if (piece.continuations.length > 0) {
      ends.push({ piece, column });
      widest = Math.max(widest, column);
    }
    const newline = piece.text.lastIndexOf('\n');
    column = newline < 0 ? column + piece.text.length : piece.text.length - newline - 1;
  }
  for (const { piece, column: at } of ends) {
    const [first = '', ...rest] = piece.text.split('\n');
    const lone = rest.map((line) => (isLone(line) ? loneAt(line, widest) : line));
    piece.text = [' '.repeat(widest - at) + first, ...lone].join('\n');
  }
}

/** A line with nothing but a continuation character. */
function isLone(line: string): boolean {
  return /^[ \t]*[\\`]\r?$/.test(line);
}

function loneAt(line: string, column: number): string {
  const mark = line.trimStart();
  const indent = line.slice(0, line.length - mark.length);
  return indent + ' '.repeat(Math.max(0, column + 1 - indent.length)) + mark;
}

/** The smallest edit that makes a piece what it shall be. */
function editOf({ start, end, text }: Piece, file: string): TextEdit[] {
  return smallestEdit({ start, end }, text, file);
}

export function smallestEdit(
  { start, end }: { readonly start: number; readonly end: number },
  text: string,
  file: string,
): TextEdit[] {
  const old = file.slice(start, end);
  if (old === text) return [];
  let head = 0;
  while (head < old.length && head < text.length && old[head] === text[head]) head++;
  let tail = 0;
  const most = Math.min(old.length, text.length) - head;
  while (tail < most && old[old.length - 1 - tail] === text[text.length - 1 - tail]) tail++;
  return [
    { range: { start: start + head, end: end - tail }, text: text.slice(head, text.length - tail) },
  ];
}

/**
 * Reads one line of a program's output as a terminal would show it: colours and weights become spans, carriage returns and
 * backspaces write over what is there, everything else that a terminal obeys is dropped. Pure; any text is harmless here.
 * Reference: ECMA-48 and xterm's control sequences.
 */

/** `color`: -1 none, 0–255 of the palette, from 0x1000000 a colour of its own (0x1rrggbb). */
export type Color = number;

/** From `start` to before `end`, in UTF-16 units of the text. */
export type Span = readonly [
  start: number,
  end: number,
  foreground: Color,
  background: Color,
  flags: number,
];

export interface StyledText {
  readonly text: string;
  readonly spans: readonly Span[];
}

export const FLAG = { bold: 1, dim: 2, italic: 4, underline: 8, inverse: 16, strike: 32 } as const;

const TRUE_COLOR = 0x1000000;
const TAB = 8;

interface Style {
  readonly fg: Color;
  readonly bg: Color;
  readonly flags: number;
}

const PLAIN: Style = { fg: -1, bg: -1, flags: 0 };

/** CSI, OSC and the other string sequences (ended by BEL or ST, or cut off by the line's end), and short escapes. */
const SEQUENCE =
  // eslint: the characters are what the expression is about.
  new RegExp(
    [
      '(?:\\u001b\\[|\\u009b)([0-?]*)([ -/]*)([@-~])?',
      '(?:\\u001b[\\]PX^_]|[\\u009d\\u0090\\u0098\\u009e\\u009f])[^\\u0007\\u001b\\u009c]*(?:\\u0007|\\u001b\\\\|\\u009c)?',
      '\\u001b[ -/]*[0-~]?',
    ].join('|'),
    'y',
  );

/** Directional overrides reorder what is read; they are shown as marks, as are other control characters. */
const BIDI = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/;

/** Colours go on from line to line, as in a terminal. */
export class AnsiReader {
  private style: Style = PLAIN;

  /** `line` without its line feed. */
  read(line: string): StyledText {
    // Most lines are plain: nothing to look at.
    if (this.style === PLAIN && !hasControl(line)) return { text: line, spans: [] };
    const row = new Row();
    let at = 0;
    while (at < line.length) {
      const code = line.charCodeAt(at);
      if (code === 0x1b || (code >= 0x80 && code <= 0x9f)) {
        SEQUENCE.lastIndex = at;
        const match = SEQUENCE.exec(line);
        if (match !== null && match[0] !== '') {
          this.obey(match, row);
          at += match[0].length;
          continue;
        }
      }
      const end = plainEnd(line, at);
      if (end > at) {
        row.write(line.slice(at, end), this.style);
        at = end;
      } else {
        this.control(line[at] ?? '', row);
        at += 1;
      }
    }
    return row.done();
  }

  private control(char: string, row: Row): void {
    if (char === '\r') row.column = 0;
    else if (char === '\b') row.column = Math.max(0, row.column - 1);
    else if (char === '\t') row.write(' '.repeat(TAB - (row.column % TAB)), this.style);
    else if (BIDI.test(char)) row.write('\ufffd', this.style);
    else if (char === '\u007f') row.write('\u2421', this.style);
    else if (char < ' ') {
      if (char !== '\u0007' && char !== '\u0000')
        row.write(String.fromCharCode(0x2400 + char.charCodeAt(0)), this.style);
    }
  }

  private obey(match: RegExpExecArray, row: Row): void {
    const [, parameters = '', , final] = match;
    if (final === 'm') this.style = restyle(this.style, parameters);
    else if (final === 'K') row.erase(parameters);
    else if (final === 'G')
      row.column = Math.min(row.length, Math.max(0, firstNumber(parameters) - 1));
    else if (final === 'D')
      row.column = Math.max(0, row.column - Math.max(1, firstNumber(parameters)));
    else if (final === 'C')
      row.column = Math.min(row.length, row.column + Math.max(1, firstNumber(parameters)));
  }
}

function hasControl(line: string): boolean {
  for (let at = 0; at < line.length; at += 1) if (isControl(line.charCodeAt(at))) return true;
  return false;
}

function isControl(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    code === 0x200e ||
    code === 0x200f ||
    code === 0x61c
  );
}

function plainEnd(line: string, from: number): number {
  let at = from;
  while (at < line.length && !isControl(line.charCodeAt(at))) at += 1;
  return at;
}

function firstNumber(parameters: string): number {
  const number = Number.parseInt(parameters, 10);
  return Number.isNaN(number) ? 1 : Math.min(number, 100_000);
}

interface Piece {
  text: string;
  readonly style: Style;
}

/** One line of cells: what is written at a column takes the place of what was there. */
class Row {
  private pieces: Piece[] = [];
  length = 0;
  column = 0;

  write(text: string, style: Style): void {
    if (this.column < this.length)
      this.cut(this.column, this.column + text.length, { text, style });
    else {
      const last = this.pieces.at(-1);
      if (last?.style === style) last.text += text;
      else this.pieces.push({ text, style });
      this.length += text.length;
    }
    this.column += text.length;
  }

  /** 0 or nothing: to the end; 1: from the start; 2: all. */
  erase(parameters: string): void {
    if (parameters === '2')
      this.cut(0, this.length, { text: ' '.repeat(this.column), style: PLAIN });
    else if (parameters === '1')
      this.cut(0, this.column, {
        text: ' '.repeat(Math.min(this.column, this.length)),
        style: PLAIN,
      });
    else this.cut(this.column, this.length, { text: '', style: PLAIN });
  }

  done(): StyledText {
    let text = '';
    const spans: Span[] = [];
    for (const { text: part, style } of this.pieces) {
      if (part === '') continue;
      const start = text.length;
      text += part;
      if (style === PLAIN || (style.fg === -1 && style.bg === -1 && style.flags === 0)) continue;
      spans.push([start, text.length, style.fg, style.bg, style.flags]);
    }
    return { text, spans };
  }

  private cut(from: number, to: number, by: Piece): void {
    const kept: Piece[] = [];
    let at = 0;
    const tail: Piece[] = [];
    for (const piece of this.pieces) {
      const end = at + piece.text.length;
      if (at < from)
        kept.push({ text: piece.text.slice(0, Math.max(0, from - at)), style: piece.style });
      if (end > to) tail.push({ text: piece.text.slice(Math.max(0, to - at)), style: piece.style });
      at = end;
    }
    this.pieces = [...kept, by, ...tail];
    this.length = this.pieces.reduce((sum, { text }) => sum + text.length, 0);
  }
}

const SET: ReadonlyMap<number, number> = new Map([
  [1, FLAG.bold],
  [2, FLAG.dim],
  [3, FLAG.italic],
  [4, FLAG.underline],
  [7, FLAG.inverse],
  [9, FLAG.strike],
  [21, FLAG.underline],
]);
const UNSET: ReadonlyMap<number, number> = new Map([
  [22, FLAG.bold | FLAG.dim],
  [23, FLAG.italic],
  [24, FLAG.underline],
  [27, FLAG.inverse],
  [29, FLAG.strike],
]);

/** Select graphic rendition; what is not known is passed over. */
function restyle(style: Style, parameters: string): Style {
  let { fg, bg, flags } = style;
  const codes = parameters
    .split(/[;:]/)
    .map((text) => (text === '' ? 0 : Number.parseInt(text, 10)));
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) [fg, bg, flags] = [-1, -1, 0];
    else if (SET.has(code)) flags |= SET.get(code) ?? 0;
    else if (UNSET.has(code)) flags &= ~(UNSET.get(code) ?? 0);
    else if (code === 39) fg = -1;
    else if (code === 49) bg = -1;
    else if (code === 38 || code === 48) {
      const { color, used } = extended(codes, at + 1);
      if (color !== undefined && code === 38) fg = color;
      if (color !== undefined && code === 48) bg = color;
      at += used;
    } else {
      const named = namedColor(code);
      if (named?.ground === 'fg') fg = named.color;
      if (named?.ground === 'bg') bg = named.color;
    }
  }
  return fg === -1 && bg === -1 && flags === 0 ? PLAIN : { fg, bg, flags };
}

function namedColor(
  code: number,
): { readonly ground: 'fg' | 'bg'; readonly color: Color } | undefined {
  if (code >= 30 && code <= 37) return { ground: 'fg', color: code - 30 };
  if (code >= 40 && code <= 47) return { ground: 'bg', color: code - 40 };
  if (code >= 90 && code <= 97) return { ground: 'fg', color: code - 82 };
  if (code >= 100 && code <= 107) return { ground: 'bg', color: code - 92 };
  return undefined;
}

/** `5;n` or `2;r;g;b`, and how many numbers that took. */
function extended(
  codes: readonly number[],
  at: number,
): { readonly color: Color | undefined; readonly used: number } {
  const byte = (offset: number): number => Math.max(0, Math.min(255, codes[at + offset] ?? 0));
  if (codes[at] === 5) return { color: byte(1), used: 2 };
  if (codes[at] === 2)
    return { color: TRUE_COLOR + byte(1) * 0x10000 + byte(2) * 0x100 + byte(3), used: 4 };
  return { color: undefined, used: 1 };
}

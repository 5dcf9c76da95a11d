/**
 * Turns tokens into the protocol's numbers: five for each token, relative to the one before (LSP, "Semantic Tokens").
 * Tokens are flattened first: an inner token cuts a hole into the one around it, and none spans a line's end.
 */
import type { SemanticTokensEdit } from 'vscode-languageserver/node';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import { type Token, TOKEN_MODIFIERS, TOKEN_TYPES, type TokenType } from './legend.ts';

/** How many units of the wire a part of the text takes. */
export type Measure = (text: string, start: number, end: number) => number;

export const IN_CODE_UNITS: Measure = (_text, start, end) => end - start;

const TYPE_NUMBERS = Object.fromEntries(
  TOKEN_TYPES.map((type, number) => [type, number]),
) as Readonly<Record<TokenType, number>>;

/** The numbers of the tokens, which may be in any order and in one another. */
export function encodeTokens(
  file: Dockerfile,
  tokens: readonly Token[],
  measure: Measure = IN_CODE_UNITS,
): number[] {
  const writer = new Writer(file, measure, tokens.length);
  const sorted = tokens.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const open: Token[] = [];
  let at = 0;
  const closeUntil = (offset: number): void => {
    for (let top = open.at(-1); top !== undefined && top.end <= offset; top = open.at(-1)) {
      writer.write(top, Math.max(at, top.start), top.end);
      at = Math.max(at, top.end);
      open.pop();
    }
  };
  for (const token of sorted) {
    closeUntil(token.start);
    const around = open.at(-1);
    if (around !== undefined) {
      // What only overlaps is cut, so that tokens stay in order.
      if (token.end > around.end) continue;
      writer.write(around, Math.max(at, around.start), token.start);
    }
    at = Math.max(at, token.start);
    open.push(token);
  }
  closeUntil(Infinity);
  return writer.written();
}

class Writer {
  /** Room for all of them at once: an array that grows is copied each time. */
  private readonly numbers: number[];
  private count = 0;
  private readonly text: string;
  private readonly starts: readonly number[];
  private readonly measure: Measure;
  private line = 0;
  private lastLine = 0;
  private lastColumn = 0;

  /** `expected`: about how many tokens there will be. */
  constructor({ text, lines }: Dockerfile, measure: Measure, expected: number) {
    this.numbers = new Array<number>(expected * 5);
    this.text = text;
    this.starts = lines.starts;
    this.measure = measure;
  }

  /** To be called once, at the end. */
  written(): number[] {
    this.numbers.length = this.count;
    return this.numbers;
  }

  /** Writes the part of a token, line by line; blanks at the start of a further line are left out. */
  write(token: Token, start: number, end: number): void {
    let from = start;
    while (from < end) {
      while ((this.starts[this.line + 1] ?? Infinity) <= from) this.line += 1;
      const next = this.starts[this.line + 1] ?? Infinity;
      const stop = Math.min(end, next);
      this.piece(token, from, this.withoutLineEnd(from, stop));
      from = stop;
      while (from < end && (this.text[from] === ' ' || this.text[from] === '\t')) from++;
    }
  }

  private withoutLineEnd(start: number, end: number): number {
    let at = end;
    while (
      at > start &&
      (this.text.charCodeAt(at - 1) === 10 || this.text.charCodeAt(at - 1) === 13)
    )
      at--;
    return at;
  }

  private piece({ type, modifier }: Token, start: number, end: number): void {
    if (end <= start) return;
    const lineStart = this.starts[this.line] ?? 0;
    const column = this.measure(this.text, lineStart, start);
    const isSameLine = this.line === this.lastLine;
    const { numbers } = this;
    numbers[this.count++] = this.line - this.lastLine;
    numbers[this.count++] = isSameLine ? column - this.lastColumn : column;
    numbers[this.count++] = this.measure(this.text, start, end);
    numbers[this.count++] = TYPE_NUMBERS[type];
    numbers[this.count++] = modifier === undefined ? 0 : 1 << TOKEN_MODIFIERS.indexOf(modifier);
    this.lastLine = this.line;
    this.lastColumn = column;
  }
}

/** The one edit that makes the old numbers the new ones; none when they are equal. */
export function tokenEdits(
  before: readonly number[],
  after: readonly number[],
): SemanticTokensEdit[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  if (start === before.length && start === after.length) return [];
  start -= start % 5;
  let tail = 0;
  while (
    tail < shorter - start &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail++;
  tail -= tail % 5;
  const data = after.slice(start, after.length - tail);
  return [{ start, deleteCount: before.length - tail - start, data }];
}

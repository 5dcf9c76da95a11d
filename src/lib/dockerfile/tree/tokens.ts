/**
 * Cuts a parsed Dockerfile into tokens that own every character: printing them gives the file back.
 * It reads no grammar of its own; what is what comes from the tree.
 */
import { isBlank, isSpace, skipSpace } from '../../text/characters.ts';
import { continuationAt } from '../reader.ts';
import type { Directive, Dockerfile, Heredoc, Instruction, Range } from '../syntax.ts';

export type TokenKind =
  | 'byte-order-mark'
  | 'directive'
  | 'comment'
  /** Blanks within a line. */
  | 'whitespace'
  /** A line's end, with the carriage returns before it. */
  | 'newline'
  /** The escape character at a line's end, blanks behind it, and the line's end. */
  | 'continuation'
  | 'keyword'
  /** With its dashes, without the equals sign. */
  | 'flag-name'
  | 'equals'
  | 'flag-value'
  | 'argument'
  /** `<<NAME` on the instruction's line. */
  | 'heredoc-mark'
  | 'heredoc-body'
  /** The line that ends a heredoc, without its line end. */
  | 'heredoc-end';

export interface Token {
  readonly kind: TokenKind;
  readonly range: Range;
}

/** A piece of an instruction's lines that is not a plain argument. */
interface Label {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

interface Labels {
  readonly list: readonly Label[];
  next: number;
}

/** The tokens of a file, in order, without gaps. */
export function tokensOf(file: Dockerfile): readonly Token[] {
  const cutter = new Cutter(file);
  let next = 0;
  while (!cutter.done) {
    const instruction = file.instructions[next];
    const line = cutter.line();
    const first = skipSpace(file.text, line.start, line.end);
    if (
      instruction !== undefined &&
      instruction.range.start < Math.max(line.next, line.start + 1)
    ) {
      cutter.take('whitespace', first);
      cutter.instruction(instruction);
      next++;
    } else {
      cutter.plainLine(line, first);
    }
  }
  return cutter.tokens;
}

interface Line extends Range {
  /** Where the next line begins. */
  readonly next: number;
}

class Cutter {
  readonly tokens: Token[] = [];
  private readonly text: string;
  private readonly escapeCode: number;
  private readonly directives: readonly (Directive | undefined)[];
  private at = 0;

  constructor({ text, directives }: Dockerfile) {
    this.text = text;
    this.escapeCode = directives.escapeCharacter.charCodeAt(0);
    this.directives = [directives.syntax, directives.escape, directives.check];
    if (text.charCodeAt(0) === 0xfeff) this.take('byte-order-mark', 1);
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** A token from here to `end`; nothing when that is here or behind. */
  take(kind: TokenKind, end: number): void {
    if (end <= this.at) return;
    this.tokens.push({ kind, range: { start: this.at, end } });
    this.at = end;
  }

  /** The line from here on, without its end. */
  line(): Line {
    const { text, at } = this;
    const newline = text.indexOf('\n', at);
    let end = newline < 0 ? text.length : newline;
    while (end > at && text.charCodeAt(end - 1) === 13) end--;
    return { start: at, end, next: newline < 0 ? text.length : newline + 1 };
  }

  /** An empty line, a comment or a directive. */
  plainLine(line: Line, first: number): void {
    this.take('whitespace', first);
    const directive = this.directives.some((known) => known?.range.start === first);
    this.take(directive ? 'directive' : 'comment', line.end);
    this.take('newline', line.next);
  }

  instruction(instruction: Instruction): void {
    const labels = { list: labelsOf(instruction), next: 0 };
    const heredocs = heredocsOf(instruction);
    const bodies = heredocs[0]?.contentRange.start ?? instruction.range.end;
    const end = Math.min(bodies, instruction.range.end);
    for (let first = true; this.at < end; first = false) this.physicalLine(labels, { first, end });
    for (const heredoc of heredocs) this.heredoc(heredoc, instruction.range.end);
  }

  /** One physical line of an instruction: content and its continuation, a comment, or nothing. */
  private physicalLine(labels: Labels, { first, end }: { first: boolean; end: number }): void {
    const line = this.line();
    const begin = skipSpace(this.text, line.start, line.end);
    if (!first && (begin === line.end || this.text.charCodeAt(begin) === 0x23)) {
      this.take('whitespace', begin);
      this.take('comment', line.end);
      this.take('newline', Math.min(line.next, Math.max(end, line.end)));
      return;
    }
    const stop = continuationAt(this.text, line, this.escapeCode);
    this.content(labels, stop < 0 ? line.end : stop);
    if (stop < 0) this.take('newline', Math.min(line.next, Math.max(end, line.end)));
    else
      this.take(
        'continuation',
        line.next > end && line.next !== line.end ? Math.max(end, stop + 1) : line.next,
      );
  }

  private content(labels: Labels, end: number): void {
    while (this.at < end) {
      let label = labels.list[labels.next];
      while (label !== undefined && label.end <= this.at) label = labels.list[++labels.next];
      if (label !== undefined && label.start <= this.at) {
        this.take(label.kind, Math.min(label.end, end));
      } else {
        this.words(Math.min(end, label?.start ?? end));
      }
    }
  }

  /** Blanks and arguments in turn. */
  private words(end: number): void {
    const { text } = this;
    while (this.at < end) {
      let at = this.at;
      const blank = isGap(text.charCodeAt(at));
      while (at < end && isGap(text.charCodeAt(at)) === blank) at++;
      this.take(blank ? 'whitespace' : 'argument', at);
    }
  }

  private heredoc({ contentRange, name }: Heredoc, limit: number): void {
    this.take('heredoc-body', contentRange.end);
    if (this.at >= limit) return;
    const line = this.line();
    if (!this.text.slice(line.start, line.end).endsWith(name)) return;
    this.take('heredoc-end', line.end);
    if (line.end < limit) this.take('newline', line.next);
  }
}

function isGap(code: number): boolean {
  return isBlank(code) || isSpace(code);
}

function heredocsOf(instruction: Instruction): readonly Heredoc[] {
  if (instruction.kind === 'ONBUILD') {
    return instruction.instruction === undefined ? [] : heredocsOf(instruction.instruction);
  }
  return 'heredocs' in instruction ? instruction.heredocs : [];
}

/** What is known of an instruction's lines, in order. */
function labelsOf(instruction: Instruction): Label[] {
  const labels: Label[] = [];
  let current: Instruction | undefined = instruction;
  while (current !== undefined) {
    labels.push({ kind: 'keyword', ...current.keyword.range });
    for (const { nameRange, value, range } of current.flags) {
      labels.push({ kind: 'flag-name', ...nameRange });
      if (range.end <= nameRange.end) continue;
      const from = Math.max(nameRange.end, value?.range.start ?? range.end);
      labels.push({ kind: 'equals', start: nameRange.end, end: nameRange.end + 1 });
      labels.push({ kind: 'flag-value', start: from, end: range.end });
    }
    current = current.kind === 'ONBUILD' ? current.instruction : undefined;
  }
  for (const { range } of heredocsOf(instruction)) labels.push({ kind: 'heredoc-mark', ...range });
  return labels;
}

/**
 * Owns the physical lines of a Dockerfile: joins continued lines, takes comments, directives and heredoc bodies.
 * It knows nothing of instructions.
 */
import { isSpace, skipSpace, trimSpace, trimSpaceEnd } from '../text/characters.ts';
import { type ProblemList } from './problems.ts';
import { SourceText } from './source.ts';
import type { Break, Comment, Directive, Directives, Escape, Heredoc, Range } from './syntax.ts';

/** One instruction's line with its continuations joined. */
export interface LogicalLine {
  readonly source: SourceText;
  readonly start: number;
  /** Comment texts above it. */
  readonly comments: readonly string[];
}

export type HeredocHead = Omit<Heredoc, 'content' | 'contentRange'>;

const DIRECTIVES = ['syntax', 'escape', 'check'] as const;
const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)$/;
const NO_COMMENTS: readonly string[] = [];
const BYTE_ORDER_MARK = 0xfeff;

export class LineReader {
  readonly comments: Comment[] = [];
  /** The end of the last line taken, its line break not counted. */
  end = 0;
  private readonly text: string;
  private readonly problems: ProblemList;
  private readonly directives = new Map<string, Directive>();
  /** Where the next line begins. */
  at = 0;
  private inDirectives = true;
  private escapeCode = 0x5c;
  private pending: string[] | undefined;

  constructor(text: string, problems: ProblemList) {
    this.text = text;
    this.problems = problems;
    if (text.charCodeAt(0) === BYTE_ORDER_MARK) this.at = 1;
  }

  /** Goes on at the start of a line behind the directives, in a file whose escape character is known. */
  resume(at: number, escape: Escape): void {
    this.at = at;
    this.inDirectives = false;
    this.escapeCode = escape.charCodeAt(0);
  }

  get escape(): Escape {
    return this.escapeCode === 0x60 ? '`' : '\\';
  }

  directivesFound(): Directives {
    const [syntax, escape, check] = DIRECTIVES.map((name) => this.directives.get(name));
    return { syntax, escape, check, escapeCharacter: this.escape };
  }

  /** The next instruction's line, or undefined at the end of the file. */
  next(): LogicalLine | undefined {
    while (this.at < this.text.length) {
      const line = this.takeLine();
      const start = skipSpace(this.text, line.start, line.end);
      if (start === line.end) {
        this.inDirectives = false;
      } else if (this.text.charCodeAt(start) === 0x23) {
        this.takeComment({ start, end: line.end });
      } else {
        this.inDirectives = false;
        return this.join(start, line.end);
      }
    }
    return undefined;
  }

  /** The lines up to the heredoc's terminator; reports and takes the rest of the file where it is missing. */
  heredoc(head: HeredocHead): Heredoc {
    const start = Math.min(this.at, this.text.length);
    const lines: string[] = [];
    let contentEnd = start;
    while (this.at < this.text.length) {
      const line = this.takeLine();
      let from = line.start;
      if (head.chomp) while (from < line.end && this.text.charCodeAt(from) === 9) from++;
      if (line.end - from === head.name.length && this.text.startsWith(head.name, from)) {
        return { ...head, content: lines.join(''), contentRange: { start, end: contentEnd } };
      }
      lines.push(this.text.slice(from, this.at));
      contentEnd = this.at;
    }
    const message = `heredoc <<${head.name} is not ended: no line holds only ${head.name}`;
    this.problems.add({ code: 'UnterminatedHeredoc', message, range: head.range });
    return { ...head, content: lines.join(''), contentRange: { start, end: contentEnd } };
  }

  /** Moves past one line; its range is without `\n` and the `\r`s before it. */
  private takeLine(): Range {
    const start = this.at;
    const newline = this.text.indexOf('\n', start);
    this.at = newline < 0 ? this.text.length : newline + 1;
    let end = newline < 0 ? this.text.length : newline;
    while (end > start && this.text.charCodeAt(end - 1) === 13) end--;
    this.end = end;
    return { start, end };
  }

  private takeComment(range: Range): void {
    const text = this.text.slice(range.start, range.end);
    if (this.inDirectives && this.takeDirective(text, range.start)) return;
    this.comments.push({ text, range });
    const words = trimSpace(text.slice(1));
    if (words === '') this.pending = undefined;
    else (this.pending ??= []).push(words);
  }

  private takeDirective(text: string, start: number): boolean {
    const match = text.length > 4096 ? null : DIRECTIVE.exec(text);
    const name = match?.[1]?.toLowerCase() ?? '';
    const raw = match?.[2] ?? '';
    if (!DIRECTIVES.some((known) => known === name)) {
      this.inDirectives = false;
      return false;
    }
    const value = raw.slice(0, trimSpaceEnd(raw, 0, raw.length));
    const valueStart = start + text.length - raw.length;
    const valueRange = { start: valueStart, end: valueStart + value.length };
    const directive = { name, value, range: { start, end: start + text.length }, valueRange };
    if (this.directives.has(name)) {
      const message = `only one ${name} parser directive can be used`;
      this.problems.add({ code: 'InvalidDirective', message, range: directive.range });
      return true;
    }
    this.directives.set(name, directive);
    if (name === 'escape') this.setEscape(directive);
    return true;
  }

  private setEscape(directive: Directive): void {
    if (directive.value === '`' || directive.value === '\\') {
      this.escapeCode = directive.value.charCodeAt(0);
      return;
    }
    const message = `invalid escape character '${directive.value}': it must be \` or \\`;
    this.problems.add({ code: 'InvalidDirective', message, range: directive.valueRange });
  }

  /** Joins a line with those that continue it. Continued lines keep their leading white space. */
  private join(start: number, end: number): LogicalLine {
    const comments = this.pending ?? NO_COMMENTS;
    this.pending = undefined;
    let stop = continuationAt(this.text, { start, end }, this.escapeCode);
    if (stop < 0) {
      const breaks = [{ index: 0, offset: start }];
      return { source: new SourceText(this.text.slice(start, end), breaks), start, comments };
    }
    const pieces = [this.text.slice(start, stop)];
    const breaks: Break[] = [{ index: 0, offset: start }];
    let length = stop - start;
    while (stop >= 0 && this.at < this.text.length) {
      const line = this.takeLine();
      const first = skipSpace(this.text, line.start, line.end);
      if (first === line.end) {
        this.reportEmpty(line);
        continue;
      }
      if (this.text.charCodeAt(first) === 0x23) {
        const range = { start: first, end: line.end };
        this.comments.push({ text: this.text.slice(first, line.end), range });
        continue;
      }
      stop = continuationAt(this.text, line, this.escapeCode);
      const pieceEnd = stop < 0 ? line.end : stop;
      if (pieceEnd > line.start) breaks.push({ index: length, offset: line.start });
      pieces.push(this.text.slice(line.start, pieceEnd));
      length += pieceEnd - line.start;
    }
    return { source: new SourceText(pieces.join(''), breaks), start, comments };
  }

  private reportEmpty(line: Range): void {
    this.problems.add({
      code: 'NoEmptyContinuation',
      message: 'empty continuation line: an empty line within an instruction will become an error',
      range: { start: line.start, end: Math.max(line.end, Math.min(line.end + 1, this.at)) },
      severity: 'warning',
    });
  }
}

/** Where the line's continuation character stands, or -1: the last one but blanks, and not itself escaped. */
export function continuationAt(text: string, { start, end }: Range, escapeCode: number): number {
  let last = end - 1;
  while (last >= start && isSpace(text.charCodeAt(last))) {
    const code = text.charCodeAt(last);
    if (code !== 32 && code !== 9) return -1;
    last--;
  }
  if (last < start || text.charCodeAt(last) !== escapeCode) return -1;
  return last > start && text.charCodeAt(last - 1) === escapeCode ? -1 : last;
}

/**
 * Owns the place in a shell text while it is read: blanks, comments, line ends and heredocs waiting for their bodies,
 * marks and problems. It knows no grammar; what nests comes in through `Grammar`.
 */
import type { SourceText } from '../source.ts';
import type {
  Command,
  Dialect,
  Mark,
  Range,
  Sequence,
  ShellProblem,
  ShellProblemCode,
  ShellWord,
} from './syntax.ts';

/** The readings that words and compound commands need and that themselves need these. */
export interface Grammar {
  /** Commands up to a closing word that is waited for (not taken) or the end. */
  readonly sequence: (cursor: Cursor) => Sequence;
  /** One command, or undefined where none begins. */
  readonly command: (cursor: Cursor) => Command | undefined;
  /** A word up to one of the given characters (not taken) or the end. */
  readonly operand: (cursor: Cursor, stop: string, quoted: 'quoted' | 'unquoted') => ShellWord;
  /** Takes the bodies of the heredocs that wait, from the start of a line. */
  readonly heredocs: (cursor: Cursor) => void;
}

/** A heredoc whose body has not come yet. */
export interface WaitingHeredoc {
  readonly delimiter: string;
  readonly tabs: boolean;
  readonly range: Range;
  /** Called once with the body, at the latest at the end of the text. */
  readonly fill: (body: HeredocBody) => void;
}

export interface HeredocBody {
  readonly start: number;
  readonly end: number;
  readonly endRange: Range | undefined;
}

/** What all readings of one script share. */
export interface Findings {
  readonly marks: Mark[];
  readonly problems: ShellProblem[];
  /** Set when nesting was too deep: nothing more is reported. */
  silent: boolean;
  depth: number;
  work: number;
}

const DEPTH_LIMIT = 100;
const PROBLEM_LIMIT = 100;

const NEWLINE = 10;
const RETURN = 13;
const BACKSLASH = 0x5c;

export class Cursor {
  readonly source: SourceText;
  readonly text: string;
  readonly dialect: Dialect;
  readonly grammar: Grammar;
  readonly findings: Findings;
  at = 0;
  end: number;
  /** Closing words and brackets that something around waits for. */
  expected = new Map<string, number>();
  waiting: WaitingHeredoc[] = [];
  /** Characters that may still be looked at ahead of reading them: keeps hostile text linear. */
  private ahead: number;

  constructor(source: SourceText, dialect: Dialect, grammar: Grammar, findings: Findings) {
    this.source = source;
    this.text = source.text;
    this.end = source.text.length;
    this.dialect = dialect;
    this.grammar = grammar;
    this.findings = findings;
    this.ahead = 10_000 + 4 * source.text.length;
  }

  /** The character code at a distance from here; NaN past the end. */
  code(distance = 0): number {
    const at = this.at + distance;
    return at < this.end ? this.text.charCodeAt(at) : Number.NaN;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  startsWith(text: string): boolean {
    return this.at + text.length <= this.end && this.text.startsWith(text, this.at);
  }

  slice(start: number): string {
    return this.text.slice(start, this.at);
  }

  /** From an index to here, in the file. */
  range(start: number, end = this.at): Range {
    return this.source.range(start, end);
  }

  mark(kind: Mark['kind'], start: number): Range {
    const range = this.range(start);
    this.findings.marks.push({ kind, text: this.slice(start), range });
    return range;
  }

  report(code: ShellProblemCode, message: string, range: Range): void {
    const { problems, silent } = this.findings;
    if (!silent && problems.length < PROBLEM_LIMIT) problems.push({ code, message, range });
  }

  /** Runs a nested reading; too deep, the rest of the text is given up and `undefined` returned. */
  nested<T>(start: number, read: () => T): T | undefined {
    const { findings } = this;
    if (findings.depth >= DEPTH_LIMIT) {
      const range = this.range(start, Math.min(start + 1, this.end));
      this.report('too-deep', 'this is nested too deeply to be read', range);
      findings.silent = true;
      this.at = this.end;
      return undefined;
    }
    findings.depth++;
    const result = read();
    findings.depth--;
    return result;
  }

  /** Runs a reading that must not see past `end`. */
  within<T>(end: number, read: () => T): T {
    const before = this.end;
    this.end = Math.min(end, before);
    const result = read();
    this.end = before;
    return result;
  }

  /** True while looking ahead so far is allowed. */
  mayLook(length: number): boolean {
    this.ahead -= length;
    this.findings.work += length;
    return this.ahead > 0;
  }

  /** The length of the line break at a place: 0, 1 or 2. */
  breakAt(at: number): number {
    if (at >= this.end) return 0;
    const code = this.text.charCodeAt(at);
    if (code === NEWLINE) return 1;
    return code === RETURN && at + 1 < this.end && this.text.charCodeAt(at + 1) === NEWLINE ? 2 : 0;
  }

  /** The length of a backslash with the line break behind it, or 0. */
  continuationAt(at: number): number {
    if (at >= this.end || this.text.charCodeAt(at) !== BACKSLASH) return 0;
    const length = this.breakAt(at + 1);
    return length === 0 ? 0 : length + 1;
  }

  /** Passes blanks, line continuations, and a comment where one may stand (between words). */
  skipBlanks(): void {
    for (;;) {
      const code = this.code();
      if (code === 32 || code === 9) {
        this.at++;
        continue;
      }
      const continuation = this.continuationAt(this.at);
      if (continuation === 0) break;
      this.at += continuation;
    }
    if (this.code() === 0x23) this.comment();
  }

  /** Passes blanks, comments and line ends; heredoc bodies are taken where their line begins. */
  skipLines(): void {
    for (;;) {
      this.skipBlanks();
      if (this.breakAt(this.at) === 0) return;
      this.takeBreak();
    }
  }

  /** Takes a line break and the heredoc bodies behind it. */
  takeBreak(): void {
    this.at += this.breakAt(this.at);
    if (this.waiting.length > 0) this.grammar.heredocs(this);
  }

  /** The index of a character at or behind `from`, or the end; never looks past the end. */
  find(code: number, from: number): number {
    let at = from;
    while (at < this.end && this.text.charCodeAt(at) !== code) at++;
    return Math.min(at, this.end);
  }

  /** Takes what is left of the line, as a comment. */
  private comment(): void {
    const start = this.at;
    this.at = this.find(NEWLINE, start);
    while (this.at > start && this.text.charCodeAt(this.at - 1) === RETURN) this.at--;
    this.mark('comment', start);
  }

  expects(closer: string): boolean {
    return (this.expected.get(closer) ?? 0) > 0;
  }

  expect(closers: readonly string[]): void {
    for (const closer of closers) this.expected.set(closer, (this.expected.get(closer) ?? 0) + 1);
  }

  unexpect(closers: readonly string[]): void {
    for (const closer of closers) this.expected.set(closer, (this.expected.get(closer) ?? 1) - 1);
  }
}

/** Blanks, line ends and `;&|<>()`: what ends a word outside quotes. */
export function isMeta(code: number): boolean {
  switch (code) {
    case 32:
    case 9:
    case 10:
    case 0x3b:
    case 0x26:
    case 0x7c:
    case 0x3c:
    case 0x3e:
    case 0x28:
    case 0x29:
      return true;
    default:
      return false;
  }
}

export function isNameStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

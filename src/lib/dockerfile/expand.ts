/**
 * Expands variables, quotes and escapes in words as the frontend's shell lexer does.
 * Never throws and always ends: depth, work and result are bounded, since words and values may be hostile.
 */
import {
  type Greed,
  readPattern,
  replaceMatches,
  trimPrefix,
  trimSuffix,
} from '../text/pattern.ts';
import { problemOf } from './problems.ts';
import { plainWord, rangeInWord } from './source.ts';
import { SplitOutput, type SplitWord } from './split-output.ts';
import { LineIndex } from '../text/lines.ts';
import type { Escape, Problem, Word } from './syntax.ts';

export type Environment = (name: string) => string | undefined;

export interface ExpandOptions {
  readonly escape: Escape;
  /** The lines of the word's file, for the problems; without it positions count from the word's own start. */
  readonly lines?: LineIndex;
  /** Quotes stay in the result. */
  readonly rawQuotes?: boolean;
  /** Escape characters stay in the result. */
  readonly rawEscapes?: boolean;
  /** Quotes are characters like others (the content of heredocs). */
  readonly plainQuotes?: boolean;
  /** Variables without a value stay as they are written. */
  readonly keepUnset?: boolean;
}

export interface Expansion {
  /** As far as it got when there are problems. */
  readonly value: string;
  readonly problems: readonly Problem[];
  /** Names asked for that have a value, each once. */
  readonly used: readonly string[];
  /** Names asked for that have none, each once. */
  readonly unset: readonly string[];
}

export interface WordsExpansion extends Expansion {
  /** The value split at white space outside quotes, also at white space that came from variables. */
  readonly words: readonly SplitWord[];
}

const DEPTH_LIMIT = 50;
const LENGTH_LIMIT = 4 * 1024 * 1024;
const WORK_LIMIT = 50_000_000;

/** The word's value with quotes and escapes taken off and variables put in. */
export function expandWord(
  word: Word | string,
  env: Environment,
  options: ExpandOptions,
): Expansion {
  const { value, problems, used, unset } = expandWords(word, env, options);
  return { value, problems, used, unset };
}

/** As `expandWord`, and the value's words besides, for the instructions that split (EXPOSE). */
export function expandWords(
  word: Word | string,
  env: Environment,
  options: ExpandOptions,
): WordsExpansion {
  const given = typeof word === 'string' ? plainWord(word) : word;
  const lexer = new ShellLexer(given.text, env, options);
  const state = new SplitOutput();
  const fault = lexer.run(state);
  const problems: Problem[] = [];
  if (fault !== undefined) {
    const range = rangeInWord(given, fault.start, Math.max(fault.end, fault.start + 1));
    const lines = options.lines ?? new LineIndex(given.text);
    problems.push(problemOf({ code: 'InvalidExpansion', message: fault.message, range }, lines));
  }
  const { used, unset } = lexer;
  return {
    value: state.text(),
    words: state.words(),
    problems,
    used: [...used],
    unset: [...unset],
  };
}

interface Fault {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

class ShellLexer {
  readonly used = new Set<string>();
  readonly unset = new Set<string>();
  private readonly text: string;
  private readonly env: Environment;
  private readonly options: ExpandOptions;
  private at = 0;
  private depth = 0;
  private produced = 0;
  private rawEscapes: boolean;
  private fault: Fault | undefined;

  constructor(text: string, env: Environment, options: ExpandOptions) {
    this.text = text;
    this.env = env;
    this.options = options;
    this.rawEscapes = options.rawEscapes ?? false;
  }

  run(output: SplitOutput): Fault | undefined {
    this.until('', output);
    return this.fault;
  }

  /** Reads to the stop character (taken, not given) or the end; false after a fault or when the stop is missing. */
  private until(stop: string, output: SplitOutput): boolean {
    const { text } = this;
    while (this.at < text.length) {
      const start = this.at;
      const character = text[start] ?? '';
      if (character === stop) {
        this.at++;
        return true;
      }
      const special = character === '$' || character === '<' || this.isQuote(character);
      if (special) {
        const value = this.special(character);
        if (this.fault !== undefined) return false;
        output.add(value, { start, end: this.at, splits: character === '$' });
      } else if (character === this.options.escape) {
        this.escaped(output);
      } else {
        this.at = this.plainEnd(stop);
        output.add(text.slice(start, this.at), { start, end: this.at, splits: true });
      }
    }
    return stop === '';
  }

  /** The end of the run of characters without a meaning of their own. */
  private plainEnd(stop: string): number {
    const { text } = this;
    let end = this.at + 1;
    for (; end < text.length; end++) {
      const character = text[end] ?? '';
      if (character === stop || character === '$' || character === '<') break;
      if (character === this.options.escape || this.isQuote(character)) break;
    }
    return end;
  }

  private isQuote(character: string): boolean {
    return (character === '"' || character === "'") && this.options.plainQuotes !== true;
  }

  private special(character: string): string {
    if (character === '$') return this.dollar();
    if (character === '<') return this.lessThan();
    return character === '"' ? this.doubleQuoted() : this.singleQuoted();
  }

  private escaped(output: SplitOutput): void {
    const start = this.at;
    const next = String.fromCodePoint(this.text.codePointAt(start + 1) ?? 0);
    const last = start + 1 >= this.text.length;
    const kept = this.rawEscapes ? this.options.escape : '';
    this.at = last ? start + 1 : start + 1 + next.length;
    output.add(last ? kept : kept + next, { start, end: this.at, splits: false });
  }

  /** `<<` and blanks after it keep a heredoc's word together. */
  private lessThan(): string {
    const start = this.at++;
    if (this.text[this.at] !== '<') return '<';
    this.at++;
    while (' \t\r'.includes(this.text[this.at] ?? '.')) this.at++;
    return this.text.slice(start, this.at);
  }

  private singleQuoted(): string {
    const start = this.at;
    const close = this.text.indexOf("'", start + 1);
    if (close < 0)
      return this.fail('a single quote is opened and never closed', start, this.text.length);
    this.at = close + 1;
    return this.options.rawQuotes === true
      ? this.text.slice(start, this.at)
      : this.text.slice(start + 1, close);
  }

  private doubleQuoted(): string {
    const start = this.at++;
    const parts: string[] = [];
    const quote = this.options.rawQuotes === true ? '"' : '';
    while (this.at < this.text.length) {
      const character = this.text[this.at] ?? '';
      if (character === '"') {
        this.at++;
        return quote + parts.join('') + quote;
      }
      if (character === '$') parts.push(this.dollar());
      else if (character === this.options.escape) parts.push(this.escapedInQuotes());
      else {
        parts.push(character);
        this.at++;
      }
      if (this.fault !== undefined) return '';
    }
    return this.fail('a double quote is opened and never closed', start, this.text.length);
  }

  /** Within double quotes only the quote, the dollar and the escape character itself can be escaped. */
  private escapedInQuotes(): string {
    const { escape } = this.options;
    const next = this.text[++this.at];
    if (next === undefined) return this.rawEscapes ? escape : '';
    if (next !== '"' && next !== '$' && next !== escape)
      return this.rawEscapes ? escape + escape : escape;
    this.at++;
    return this.rawEscapes ? escape + next : next;
  }

  private dollar(): string {
    const start = this.at++;
    if (this.text[this.at] !== '{') {
      const name = this.name();
      if (name === '') return '$';
      const value = this.lookup(name);
      if (value === undefined && this.options.keepUnset === true) return `$${name}`;
      return this.bounded(value ?? '', start);
    }
    this.at++;
    if (this.depth >= DEPTH_LIMIT)
      return this.fail('variables are nested too deeply', start, this.at);
    this.depth++;
    const value = this.braced(start);
    this.depth--;
    return this.bounded(value, start);
  }

  private braced(start: number): string {
    const first = this.text[this.at];
    if (first === undefined) return this.missingBrace(start);
    if (first === '{' || first === '}' || first === ':')
      return this.fail('bad substitution', start, this.at + 1);
    const name = this.name();
    const character = this.take();
    if (character === '}') {
      const value = this.lookup(name);
      if (value === undefined && this.options.keepUnset === true) return `\${${name}}`;
      return value ?? '';
    }
    if (character === '/') return this.replacement(name, start);
    if (character === ':')
      return this.modified({ name, modifier: this.take(), colon: true, start });
    return this.modified({ name, modifier: character, colon: false, start });
  }

  private modified(use: { name: string; modifier: string; colon: boolean; start: number }): string {
    const { name, modifier, colon, start } = use;
    const written = (colon ? ':' : '') + modifier;
    const known = colon ? '-+?' : '-+?#%';
    if (written === '' || modifier === '') return this.missingBrace(start);
    if (!known.includes(modifier)) {
      return this.fail(`unsupported modifier (${written}) in substitution`, start, this.at);
    }
    const word = this.inner('}', { rawEscapes: modifier === '#' || modifier === '%' });
    if (word === undefined) return this.missingBrace(start);
    const value = this.lookup(name);
    if (value === undefined && this.options.keepUnset === true)
      return `\${${name}${written}${word}}`;
    const empty = value === undefined || (colon && value === '');
    if (modifier === '-') return empty ? word : value;
    if (modifier === '+') return empty ? '' : word;
    if (modifier === '?') {
      if (!empty) return value;
      const state = value === undefined ? 'unset' : 'empty';
      return this.fail(
        `${name}: ${word === '' ? `is not allowed to be ${state}` : word}`,
        start,
        this.at,
      );
    }
    return this.trimmed({ value: value ?? '', word, modifier, start });
  }

  private trimmed(use: { value: string; word: string; modifier: string; start: number }): string {
    const greed: Greed = use.word.startsWith(use.modifier) ? 'longest' : 'shortest';
    const text = greed === 'longest' ? use.word.slice(1) : use.word;
    const pattern = readPattern(text);
    if (pattern === undefined)
      return this.fail(`invalid pattern (${text}) in substitution`, use.start, this.at);
    if (!this.affordable(text.length * use.value.length)) return this.tooMuch(use.start);
    return use.modifier === '#'
      ? trimPrefix(pattern, use.value, greed)
      : trimSuffix(pattern, use.value, greed);
  }

  private replacement(name: string, start: number): string {
    const scope = this.text[this.at] === '/' ? 'all' : 'first';
    if (scope === 'all') this.at++;
    const text = this.inner('/', { rawEscapes: true });
    if (text === undefined)
      return this.fault ? '' : this.fail("missing '/' in ${…}", start, this.at);
    const replacement = this.inner('}', { rawEscapes: true });
    if (replacement === undefined) return this.missingBrace(start);
    const value = this.lookup(name);
    if (value === undefined && this.options.keepUnset === true)
      return `\${${name}/${text}/${replacement}}`;
    const pattern = readPattern(text);
    if (pattern === undefined)
      return this.fail(`invalid pattern (${text}) in substitution`, start, this.at);
    const length = value?.length ?? 0;
    const starts = text.includes('*') ? length : 1;
    if (!this.affordable((text.length + 1) * length * starts)) return this.tooMuch(start);
    return replaceMatches(pattern, value ?? '', { with: replacement, scope });
  }

  /** The text up to the stop character within `${…}`, expanded; undefined when the stop is missing. */
  private inner(stop: string, { rawEscapes }: { rawEscapes: boolean }): string | undefined {
    const before = this.rawEscapes;
    this.rawEscapes = rawEscapes;
    const output = new SplitOutput();
    const closed = this.until(stop, output);
    this.rawEscapes = before;
    return closed ? output.text() : undefined;
  }

  private name(): string {
    const { text } = this;
    const start = this.at;
    const first = text[start] ?? '';
    if (first !== '' && '@*#?-$!0'.includes(first)) {
      if (first !== '0') return this.take();
    }
    const character = first >= '0' && first <= '9' ? /\p{Nd}+/uy : /[\p{L}\p{Nd}_]+/uy;
    character.lastIndex = start;
    const found = character.exec(text)?.[0] ?? '';
    this.at = start + found.length;
    return found;
  }

  private take(): string {
    return this.text[this.at++] ?? '';
  }

  private lookup(name: string): string | undefined {
    const value = this.env(name);
    (value === undefined ? this.unset : this.used).add(name);
    return value;
  }

  private bounded(value: string, start: number): string {
    this.produced += value.length;
    return this.produced > LENGTH_LIMIT ? this.tooMuch(start) : value;
  }

  private affordable(work: number): boolean {
    return work <= WORK_LIMIT;
  }

  private tooMuch(start: number): string {
    return this.fail(
      'the variables expand to more than an instruction may hold (4 MiB)',
      start,
      this.at,
    );
  }

  private missingBrace(start: number): string {
    return this.fail("missing '}' after ${", start, this.text.length);
  }

  /** Keeps the first fault and ends the reading. */
  private fail(message: string, start: number, end: number): string {
    this.fault ??= { message, start, end };
    this.at = this.text.length;
    return '';
  }
}

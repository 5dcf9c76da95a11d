/** Owns the splitting of an instruction's argument into words, pairs and JSON strings. Quotes stay in the words. */
import { isBlank, isSpace } from '../text/characters.ts';
import { decodedWord, type SourceText, subWord } from './source.ts';
import type { Escape, Pair, Word } from './syntax.ts';

/** An index range of an instruction's joined line. */
export interface Slice {
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
}

export function wordOf({ source, start, end }: Slice): Word {
  return source.word(start, end);
}

/** Words between blanks; quotes have no meaning here (FROM, EXPOSE, COPY, ADD, VOLUME). */
export function splitBlanks({ source, start, end }: Slice): Word[] {
  const words: Word[] = [];
  const { text } = source;
  let at = start;
  while (at < end) {
    while (at < end && isBlank(text.charCodeAt(at))) at++;
    const from = at;
    while (at < end && !isBlank(text.charCodeAt(at))) at++;
    if (at > from) words.push(source.word(from, at));
  }
  return words;
}

/** Words between white space, where quotes and escapes keep words together and stay in the text (ENV, LABEL, ARG). */
export function splitQuoted({ source, start, end }: Slice, escape: Escape): Word[] {
  const words: Word[] = [];
  const { text } = source;
  const escapeCode = escape.charCodeAt(0);
  let from = -1;
  let quote = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (quote === 0 && isSpace(code)) {
      if (from >= 0) words.push(source.word(from, at));
      from = -1;
      continue;
    }
    if (from < 0) from = at;
    if (code === escapeCode && quote !== 0x27) at++;
    else if (quote !== 0 && code === quote) quote = 0;
    else if (quote === 0 && (code === 0x22 || code === 0x27)) quote = code;
  }
  if (from >= 0) words.push(source.word(from, end));
  return words;
}

export interface Pairs {
  readonly pairs: readonly Pair[];
  /** Words that are no pair. */
  readonly wrong: readonly Word[];
  /** `name` alone in the form without equals sign, which wants a value. */
  readonly valueMissing: boolean;
}

/** ENV's and LABEL's pairs: `a=b c=d`, or the legacy `a b` when the first word has no equals sign. */
export function readPairs(slice: Slice, escape: Escape): Pairs {
  const words = splitQuoted(slice, escape);
  const first = words[0];
  if (first === undefined) return { pairs: [], wrong: [], valueMissing: false };
  if (!first.text.includes('=')) return readLegacyPair(slice);
  const pairs: Pair[] = [];
  const wrong: Word[] = [];
  for (const word of words) {
    const equals = word.text.indexOf('=');
    if (equals < 0) wrong.push(word);
    else pairs.push(pairAt(word, equals));
  }
  return { pairs, wrong, valueMissing: false };
}

/** ARG's `name` and `name=value`. */
export function readArguments(slice: Slice, escape: Escape): Pair[] {
  return splitQuoted(slice, escape).map((word) => {
    const equals = word.text.indexOf('=');
    if (equals >= 0) return pairAt(word, equals);
    return { name: word, value: undefined, legacy: false, range: word.range };
  });
}

function pairAt(word: Word, equals: number): Pair {
  const name = subWord(word, 0, equals);
  const value = subWord(word, equals + 1, word.text.length);
  return { name, value, legacy: false, range: word.range };
}

function readLegacyPair({ source, start, end }: Slice): Pairs {
  let at = start;
  while (at < end && !isBlank(source.text.charCodeAt(at))) at++;
  const name = source.word(start, at);
  while (at < end && isBlank(source.text.charCodeAt(at))) at++;
  const valueMissing = at >= end;
  const value = valueMissing ? undefined : source.word(at, end);
  const range = source.range(start, end);
  return { pairs: [{ name, value, legacy: true, range }], wrong: [], valueMissing };
}

export type JsonArguments =
  | { readonly form: 'strings'; readonly words: readonly Word[] }
  /** It begins as an array of strings would, and is not one: taken as plain text. */
  | { readonly form: 'broken' }
  /** Valid JSON, but with an element that is no string: an error. */
  | { readonly form: 'not-strings' }
  | { readonly form: 'none' };

/** Reads a JSON array of strings. The words have the decoded text and the range of the quoted string. */
export function readJson({ source, start, end }: Slice): JsonArguments {
  if (source.text[start] !== '[') return { form: 'none' };
  const text = source.text.slice(start, end);
  const parsed = parseArray(text);
  if (parsed === undefined) return { form: /^\[\s*["']/.test(text) ? 'broken' : 'none' };
  if (!parsed.every((item) => typeof item === 'string')) return { form: 'not-strings' };
  const words: Word[] = [];
  let at = 0;
  for (const item of parsed) {
    const from = text.indexOf('"', at);
    at = stringEnd(text, from);
    words.push(decodedWord(item, source.range(start + from, start + at)));
  }
  return { form: 'strings', words };
}

function parseArray(text: string): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined; // Not JSON: the caller falls back to the shell form and says so.
  }
}

/** The index after the closing quote of the JSON string that opens at `from`. */
export function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/**
 * Reads one word: its quotes, escapes, expansions, patterns and braces.
 * A word that is not ended properly ends with the text and is reported.
 */
import { literalFrom, WordBuilder } from './builder.ts';
import { type Cursor, isMeta } from './cursor.ts';
import { readBacktick, readDollar, readProcess } from './expansions.ts';
import type { EscapedPart, Range, ShellWord, WordPart } from './syntax.ts';

/**
 * Where a word stands: `plain` between blanks; `pattern` in `[[ … ]]` and `case`, where braces are not expanded; `regex`
 * behind `=~`, where brackets and bars are characters;
 * `operand` within `${…}` up to `stop`, `quoted` when that stands in double quotes.
 */
export type Place =
  | { readonly kind: 'plain' | 'pattern' | 'regex' }
  | { readonly kind: 'operand'; readonly stop: string; readonly quoted: boolean };

const PLAIN: Place = { kind: 'plain' };
const GLOB_LOOK = 256;

const BACKSLASH = 0x5c;
const DOUBLE = 0x22;
const SINGLE = 0x27;
const DOLLAR = 0x24;
const BACKTICK = 0x60;

/** Reads a word from the cursor; its text is empty when none stands there. */
export function readWord(cursor: Cursor, place: Place = PLAIN): ShellWord {
  const end = place.kind === 'plain' || place.kind === 'pattern' ? plainEnd(cursor) : -1;
  if (end > cursor.at) return plainWord(cursor, end);
  const builder = new WordBuilder(cursor);
  readInto(builder, cursor, place);
  return builder.word();
}

/** Characters that may make a word more than its text: 1; those that end it: 2. */
const CHARACTERS = new Uint8Array(128);
for (const character of '\\\'"$`*?[{},.@+!\r') CHARACTERS[character.charCodeAt(0)] = 1;
for (const character of ' \t\n;&|()<>') CHARACTERS[character.charCodeAt(0)] = 2;

/** The end of the word at the cursor if it holds plain characters only, else -1. */
function plainEnd(cursor: Cursor): number {
  const { text, end } = cursor;
  for (let at = cursor.at; at < end; at++) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? CHARACTERS[code] : 0;
    if (kind === 0) continue;
    // A dot begins `..` of a brace expansion, which needs a brace: alone it is plain.
    if (code === 0x2e || code === 0x2c || code === 0x7d) continue;
    if (code === 0x40 || code === 0x2b || code === 0x21) {
      if (at + 1 < end && text.charCodeAt(at + 1) === 0x28) return -1;
      continue;
    }
    const ends = kind === 2 && !((code === 0x3c || code === 0x3e) && text[at + 1] === '(');
    return ends ? at : -1;
  }
  return end;
}

function plainWord(cursor: Cursor, end: number): ShellWord {
  const start = cursor.at;
  cursor.at = end;
  cursor.findings.work++;
  const range = cursor.range(start);
  const text = cursor.slice(start);
  return {
    kind: 'word',
    text,
    value: text,
    parts: [{ kind: 'literal', text, range }],
    braces: NONE,
    range,
  };
}

const NONE: readonly Range[] = [];

/** Reads on into a word that has begun. */
export function readInto(builder: WordBuilder, cursor: Cursor, place: Place = PLAIN): void {
  const level = { parentheses: 0, single: -1 };
  while (!cursor.done && (level.single >= 0 || !endsWord(cursor, place, level))) {
    const code = cursor.code();
    if (code === SINGLE && place.kind === 'operand' && place.quoted) passSingle(cursor, level);
    else if (!readQuoting(builder, cursor, code)) readUnquoted(builder, cursor, code, place);
  }
  if (level.single < 0) return;
  const range = cursor.range(level.single, level.single + 1);
  cursor.report('unclosed-quote', 'this single quote is never closed', range);
}

/** A single quote within `"${…}"`: a character like others, but bash passes over a `}` up to the next one. */
function passSingle(cursor: Cursor, level: { single: number }): void {
  if (cursor.dialect === 'bash') level.single = level.single < 0 ? cursor.at : -1;
  cursor.at++;
}

function endsWord(cursor: Cursor, place: Place, level: { parentheses: number }): boolean {
  const code = cursor.code();
  if (place.kind === 'operand') return place.stop.includes(cursor.text[cursor.at] ?? '');
  if (code === 13) return cursor.breakAt(cursor.at) > 0;
  if (!isMeta(code)) return false;
  if (place.kind === 'regex') {
    if (code === 0x28) level.parentheses++;
    if (code === 0x29) level.parentheses--;
    return level.parentheses < 0 || (level.parentheses === 0 && code !== 0x7c && code !== 0x29);
  }
  // `<(` and `>(` are parts of words.
  return !((code === 0x3c || code === 0x3e) && isProcess(cursor));
}

function isProcess(cursor: Cursor): boolean {
  return cursor.code(1) === 0x28 && cursor.dialect !== 'sh';
}

/** Escapes, quotes and expansions; false when the character is none of them. */
function readQuoting(builder: WordBuilder, cursor: Cursor, code: number): boolean {
  switch (code) {
    case BACKSLASH: {
      builder.flush();
      const part = readEscape(cursor);
      builder.add(part, part.value);
      return true;
    }
    case SINGLE: {
      builder.flush();
      const part = readSingle(cursor);
      builder.add(part, part.value);
      return true;
    }
    case DOUBLE: {
      builder.flush();
      const { part, value } = readDouble(cursor, cursor.at);
      builder.add(part, value);
      return true;
    }
    case DOLLAR:
      readDollarInto(builder, cursor);
      return true;
    case BACKTICK: {
      builder.flush();
      builder.add(readBacktick(cursor, 'unquoted'), undefined);
      return true;
    }
    default:
      return false;
  }
}

function readDollarInto(builder: WordBuilder, cursor: Cursor): void {
  const start = cursor.at;
  builder.flush();
  if (cursor.code(1) === SINGLE) {
    const part = readAnsi(cursor);
    builder.add(part, undefined);
  } else if (cursor.code(1) === DOUBLE) {
    cursor.at++;
    const { part, value } = readDouble(cursor, start);
    builder.add(part, value);
  } else {
    const part = readDollar(cursor, 'unquoted');
    builder.add(part, part.kind === 'literal' ? part.text : undefined);
  }
}

function readUnquoted(builder: WordBuilder, cursor: Cursor, code: number, place: Place): void {
  const start = cursor.at;
  if (place.kind === 'regex') {
    cursor.at++;
    return;
  }
  if ((code === 0x3c || code === 0x3e) && isProcess(cursor) && place.kind !== 'operand') {
    builder.flush();
    builder.add(readProcess(cursor), undefined);
    return;
  }
  const length = globLength(cursor, code);
  if (length > 0) {
    builder.flush();
    cursor.at = start + length;
    const text = cursor.slice(start);
    builder.add({ kind: 'glob', text, range: cursor.range(start) }, undefined);
    return;
  }
  if (place.kind === 'plain' && (code === 0x7b || code === 0x7d || code === 0x2c || code === 0x2e))
    builder.brace(code);
  cursor.at++;
}

/** The length of the pattern at the cursor, or 0. */
function globLength(cursor: Cursor, code: number): number {
  const extended = cursor.dialect !== 'sh' && cursor.code(1) === 0x28;
  switch (code) {
    case 0x2a:
    case 0x3f:
      return (extended ? closing(cursor, 2) : 0) || 1;
    case 0x40:
    case 0x2b:
    case 0x21:
      return extended ? closing(cursor, 2) : 0;
    case 0x5b:
      return bracketLength(cursor);
    default:
      return 0;
  }
}

/** The distance behind the `)` that closes the pattern whose inside begins at a distance, or 0. */
function closing(cursor: Cursor, from: number): number {
  if (!cursor.mayLook(0)) return 0;
  const length = closingDistance(cursor, from);
  cursor.mayLook(length || GLOB_LOOK);
  return length;
}

function closingDistance(cursor: Cursor, from: number): number {
  let depth = 1;
  for (let at = from; at < GLOB_LOOK; at++) {
    const code = cursor.code(at);
    if (Number.isNaN(code) || code === 10) return 0;
    if (code === BACKSLASH) at++;
    if (code === 0x28) depth++;
    if (code === 0x29 && --depth === 0) return at + 1;
  }
  return 0;
}

function bracketLength(cursor: Cursor): number {
  if (!cursor.mayLook(0)) return 0;
  const length = bracketDistance(cursor);
  cursor.mayLook(length || (isMeta(cursor.code(1)) ? 1 : 4 * GLOB_LOOK));
  return length;
}

function bracketDistance(cursor: Cursor): number {
  let at = 1;
  if (cursor.code(at) === 0x21 || cursor.code(at) === 0x5e) at++;
  if (cursor.code(at) === 0x5d) at++;
  for (; at < GLOB_LOOK; at++) {
    const code = cursor.code(at);
    if (Number.isNaN(code) || isMeta(code) || code === DOUBLE || code === SINGLE) return 0;
    if (code === DOLLAR || code === BACKTICK) return 0;
    if (code === BACKSLASH) at++;
    if (code === 0x5d) return at + 1;
    if (code === 0x5b && cursor.code(at + 1) === 0x3a) at = classEnd(cursor, at + 2);
  }
  return 0;
}

/** Behind the `:]` of a `[:class:]`, or where it was looked for. */
function classEnd(cursor: Cursor, from: number): number {
  for (let at = from; at < from + 16; at++) {
    if (cursor.code(at) === 0x3a && cursor.code(at + 1) === 0x5d) return at + 1;
  }
  return from;
}

function readEscape(cursor: Cursor): EscapedPart {
  const start = cursor.at;
  const continuation = cursor.continuationAt(start);
  const next = cursor.text.codePointAt(start + 1) ?? 0;
  const length = start + 1 >= cursor.end ? 1 : next > 0xffff ? 3 : 2;
  cursor.at = Math.min(cursor.end, start + (continuation || length));
  const text = cursor.slice(start);
  const value = continuation > 0 ? '' : length === 1 ? '\\' : text.slice(1);
  return { kind: 'escaped', text, value, range: cursor.range(start) };
}

function readSingle(
  cursor: Cursor,
): WordPart & { readonly kind: 'single' | 'ansi'; value: string } {
  const start = cursor.at;
  const close = cursor.find(SINGLE, start + 1);
  const closed = close < cursor.end;
  cursor.at = closed ? close + 1 : cursor.end;
  if (!closed) {
    const opening = cursor.range(start, start + 1);
    cursor.report('unclosed-quote', 'this single quote is never closed', opening);
  }
  const text = cursor.slice(start);
  const value = closed ? text.slice(1, -1) : text.slice(1);
  return { kind: 'single', text, value, range: cursor.range(start) };
}

/** `$'…'`, where a backslash escapes. */
function readAnsi(cursor: Cursor): WordPart {
  const start = cursor.at;
  let at = start + 2;
  while (at < cursor.end && cursor.text.charCodeAt(at) !== SINGLE)
    at += cursor.text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  const closed = at < cursor.end;
  cursor.at = Math.min(cursor.end, at + 1);
  if (!closed) {
    const opening = cursor.range(start, Math.min(start + 2, cursor.end));
    cursor.report('unclosed-quote', 'this quote is never closed', opening);
  }
  const text = cursor.slice(start);
  const value = closed ? text.slice(2, -1) : text.slice(2);
  return { kind: 'ansi', text, value, range: cursor.range(start) };
}

/** Reads `"…"` from its quote; `start` is where the part begins. */
function readDouble(cursor: Cursor, start: number): { part: WordPart; value: string | undefined } {
  const quote = cursor.at;
  cursor.at++;
  const read = cursor.nested(quote, () => readQuoted(cursor, { until: DOUBLE }));
  if (cursor.code() === DOUBLE) cursor.at++;
  else
    cursor.report(
      'unclosed-quote',
      'this double quote is never closed',
      cursor.range(quote, quote + 1),
    );
  const { parts, value } = read ?? { parts: [], value: undefined };
  return {
    part: { kind: 'double', text: cursor.slice(start), parts, range: cursor.range(start) },
    value,
  };
}

/**
 * Reads what stands in double quotes (`until` a quote), in a heredoc or in arithmetic (to the end of what the cursor
 * may see): plain characters, escapes, `$…` and backticks.
 */
export function readQuoted(
  cursor: Cursor,
  { until }: { readonly until: number | undefined },
): { parts: WordPart[]; value: string | undefined } {
  const parts: WordPart[] = [];
  const values: string[] = [];
  let known = true;
  let plain = cursor.at;
  const flush = (): void => {
    if (cursor.at <= plain) return;
    const part = literalFrom(cursor, plain);
    parts.push(part);
    values.push(part.text);
  };
  while (!cursor.done && cursor.code() !== until) {
    const code = cursor.code();
    if (code !== DOLLAR && code !== BACKTICK && !(code === BACKSLASH && escapes(cursor, until))) {
      cursor.at++;
      continue;
    }
    flush();
    if (code === BACKSLASH) {
      const part = readEscape(cursor);
      parts.push(part);
      values.push(part.value);
    } else {
      const part = code === DOLLAR ? readDollar(cursor, 'quoted') : readBacktick(cursor, 'quoted');
      parts.push(part);
      if (part.kind === 'literal') values.push(part.text);
      else known = false;
    }
    plain = cursor.at;
  }
  flush();
  return { parts, value: known ? values.join('') : undefined };
}

/** Whether the backslash at the cursor means something within double quotes or a heredoc. */
function escapes(cursor: Cursor, until: number | undefined): boolean {
  const next = cursor.code(1);
  if (next === DOLLAR || next === BACKTICK || next === BACKSLASH) return true;
  return next === until || cursor.continuationAt(cursor.at) > 0;
}

/** Owns the shell's reserved words: recognising them where a command may begin, and what closes what. */
import { type Cursor, isMeta } from './cursor.ts';

const WORDS = new Set([
  'if',
  'then',
  'elif',
  'else',
  'fi',
  'for',
  'select',
  'while',
  'until',
  'do',
  'done',
  'case',
  'esac',
  'in',
  'function',
  'time',
  'coproc',
  '{',
  '}',
  '!',
  '[[',
  ']]',
]);

const CLOSERS = new Set(['then', 'elif', 'else', 'fi', 'do', 'done', 'esac', '}']);
const LONGEST = 8;

/** The reserved word at the cursor, or ''. */
export function keywordAt(cursor: Cursor): string {
  const { text, at } = cursor;
  const limit = Math.min(cursor.end, at + LONGEST + 1);
  let end = at;
  while (end < limit && isKeywordCharacter(text.charCodeAt(end))) end++;
  if (end === at || end - at > LONGEST || !endsWord(cursor, end)) return '';
  const word = text.slice(at, end);
  return WORDS.has(word) ? word : '';
}

function isKeywordCharacter(code: number): boolean {
  if (code >= 97 && code <= 122) return true;
  return code === 0x7b || code === 0x7d || code === 0x21 || code === 0x5b || code === 0x5d;
}

function endsWord(cursor: Cursor, at: number): boolean {
  if (at >= cursor.end || isMeta(cursor.text.charCodeAt(at))) return true;
  return cursor.breakAt(at) > 0 || cursor.continuationAt(at) > 0;
}

/** What closes a command list at the cursor (`fi`, `}`, `)`, `;;`, …), or ''. */
export function closerAt(cursor: Cursor): string {
  const code = cursor.code();
  if (code === 0x29) return ')';
  if (code === 0x3b) {
    if (cursor.code(1) === 0x3b) return cursor.code(2) === 0x26 ? ';;&' : ';;';
    return cursor.code(1) === 0x26 ? ';&' : '';
  }
  const word = keywordAt(cursor);
  return CLOSERS.has(word) ? word : '';
}

/** Takes the reserved word at the cursor when it is that one. */
export function takeKeyword(cursor: Cursor, word: string): boolean {
  if (keywordAt(cursor) !== word) return false;
  const start = cursor.at;
  cursor.at += word.length;
  cursor.mark('keyword', start);
  return true;
}

/** Takes a keyword that must stand here; its absence is reported at the one that opened the command. */
export function needKeyword(
  cursor: Cursor,
  word: string,
  opening: { at: number; word: string },
): boolean {
  cursor.skipLines();
  if (takeKeyword(cursor, word)) return true;
  const { at, word: opened } = opening;
  const range = cursor.range(at, Math.min(at + opened.length, cursor.text.length));
  cursor.report('missing-keyword', `this '${opened}' has no '${word}'`, range);
  return false;
}

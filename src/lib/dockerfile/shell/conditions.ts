/**
 * Reads `[[ … ]]` as bash's own reader does: tests of one and two words, `!`, `( )`, `&&` and `||`.
 * What cannot stand where it does is reported once; the words behind it are still read, up to the `]]`.
 */
import { type Cursor, isMeta } from './cursor.ts';
import { keywordAt, takeKeyword } from './keywords.ts';
import type { Command, Condition, Range, ShellWord } from './syntax.ts';
import { readWord } from './words.ts';

const UNARY = /^-[abcdefghknoprstuvwxzGLNORS]$/;
const BINARY = /^(==?|!=|=~|<|>|-(ef|nt|ot|eq|ne|lt|le|gt|ge))$/;

/** One reading of a test: its words in the order of the text, and whether something was wrong already. */
interface Test {
  readonly cursor: Cursor;
  readonly words: ShellWord[];
  failed: boolean;
}

/** Reads from the `[[` at the cursor. */
export function readTest(cursor: Cursor, start: number): Command {
  takeKeyword(cursor, '[[');
  const test: Test = { cursor, words: [], failed: false };
  const expression = readAlternatives(test);
  cursor.skipBlanks();
  let closed = takeKeyword(cursor, ']]');
  if (!closed) {
    refuse(test, "this '[[' has no ']]'", cursor.range(start, start + 2));
    closed = skipRest(test);
    if (!closed && cursor.dialect === 'sh') {
      cursor.report('missing-keyword', "this '[[' has no ']]'", cursor.range(start, start + 2));
    }
  }
  const { words } = test;
  return { kind: 'test', words, expression, redirects: [], range: cursor.range(start) };
}

/** Only once, and only where `[[` is part of the language: elsewhere it is a command with its own rules, or none. */
function refuse(test: Test, message: string, range: Range): void {
  const { cursor, failed } = test;
  if (!failed && cursor.dialect !== 'sh') cursor.report('bad-test', message, range);
  test.failed = true;
}

/** What stands at the cursor, for a message. */
function tokenRange(cursor: Cursor): Range {
  const { at, text, end } = cursor;
  let to = Math.min(at + 1, end);
  if (!isMeta(cursor.code())) while (to < end && to < at + 40 && !isMeta(text.charCodeAt(to))) to++;
  return cursor.range(at, to);
}

/** Takes words and operators behind a mistake up to `]]`, where the line or the command ends at the latest. */
function skipRest({ cursor, words }: Test): boolean {
  for (;;) {
    cursor.skipBlanks();
    if (takeKeyword(cursor, ']]')) return true;
    const operator = OPERATORS.find((text) => cursor.startsWith(text));
    if (operator !== undefined) {
      takeOperator(cursor, operator);
      continue;
    }
    const word = readWord(cursor);
    if (word.text === '') return false;
    words.push(word);
  }
}

const OPERATORS = ['&&', '||', '(', ')', '<', '>'];

function takeOperator(cursor: Cursor, text: string): boolean {
  if (!cursor.startsWith(text)) return false;
  cursor.at += text.length;
  cursor.mark('operator', cursor.at - text.length);
  return true;
}

function readAlternatives(test: Test): Condition | undefined {
  return readJoined(test, '||', (inner) => readJoined(inner, '&&', readTerm));
}

/** Conditions that an operator joins. */
function readJoined(
  test: Test,
  operator: '&&' | '||',
  read: (test: Test) => Condition | undefined,
): Condition | undefined {
  const { cursor } = test;
  const first = read(test);
  if (first === undefined) return undefined;
  const parts = [first];
  while (!test.failed) {
    cursor.skipBlanks();
    if (!takeOperator(cursor, operator)) break;
    const next = read(test);
    if (next !== undefined) parts.push(next);
  }
  if (parts.length === 1) return first;
  const end = parts.at(-1)?.range.end ?? first.range.end;
  const kind = operator === '&&' ? 'and' : 'or';
  return { kind, parts, range: { start: first.range.start, end } };
}

function readTerm(test: Test): Condition | undefined {
  const { cursor } = test;
  cursor.skipLines();
  const start = cursor.at;
  if (keywordAt(cursor) === '!') {
    takeKeyword(cursor, '!');
    const operand = cursor.nested(start, () => readTerm(test));
    return { kind: 'not', operand, range: cursor.range(start) };
  }
  if (cursor.code() === 0x28) return readGroup(test, start);
  const word = keywordAt(cursor) === ']]' ? undefined : takeWord(test);
  if (word === undefined) {
    refuse(test, 'there is no test here', tokenRange(cursor));
    return undefined;
  }
  const condition = UNARY.test(word.text) ? readUnary(test, word) : readBinary(test, word);
  if (condition.kind !== 'word') cursor.skipLines();
  return condition;
}

function readGroup(test: Test, start: number): Condition {
  const { cursor } = test;
  takeOperator(cursor, '(');
  const inner = cursor.nested(start, () => readAlternatives(test));
  cursor.skipBlanks();
  if (!takeOperator(cursor, ')'))
    refuse(test, "this '(' has no ')'", cursor.range(start, start + 1));
  const range = cursor.range(start);
  cursor.skipLines();
  return { kind: 'group', condition: inner, range };
}

function takeWord(test: Test, regex = false): ShellWord | undefined {
  const { cursor, words } = test;
  const word = readWord(cursor, { kind: regex ? 'regex' : 'pattern' });
  if (word.text === '') return undefined;
  words.push(word);
  return word;
}

/** `-f file`: what follows is its operand, whatever it looks like. */
function readUnary(test: Test, operator: ShellWord): Condition {
  const { cursor } = test;
  cursor.skipBlanks();
  const operand = keywordAt(cursor) === ']]' ? undefined : takeWord(test);
  if (operand === undefined) {
    refuse(test, `there is nothing to test behind '${operator.text}'`, operator.range);
  }
  const end = operand?.range.end ?? operator.range.end;
  return { kind: 'unary', operator, operand, range: { start: operator.range.start, end } };
}

/** `a == b`, or a word alone, which is true when it is not empty. */
function readBinary(test: Test, left: ShellWord): Condition {
  const { cursor } = test;
  cursor.skipBlanks();
  const alone: Condition = { kind: 'word', word: left, range: left.range };
  if (endsTest(cursor)) return alone;
  const operator = readOperator(test);
  if (operator === undefined) {
    refuse(test, 'an operator such as == or && is missing here', tokenRange(cursor));
    return alone;
  }
  cursor.skipBlanks();
  const right = keywordAt(cursor) === ']]' ? undefined : takeWord(test, operator.text === '=~');
  if (right === undefined) {
    refuse(test, `there is nothing to compare behind '${operator.text}'`, operator.range);
  }
  const end = right?.range.end ?? operator.range.end;
  return { kind: 'binary', left, operator, right, range: { start: left.range.start, end } };
}

function endsTest(cursor: Cursor): boolean {
  if (cursor.done || cursor.code() === 0x29 || keywordAt(cursor) === ']]') return true;
  return cursor.startsWith('&&') || cursor.startsWith('||');
}

function readOperator(test: Test): ShellWord | undefined {
  const { cursor } = test;
  const start = cursor.at;
  const code = cursor.code();
  if (code === 0x3c || code === 0x3e) {
    cursor.at++;
    const range = cursor.mark('operator', start);
    const text = cursor.slice(start);
    const part = { kind: 'literal', text, range } as const;
    return { kind: 'word', text, value: text, parts: [part], braces: [], range };
  }
  let end = start;
  while (end < cursor.end && end < start + 4 && !isMeta(cursor.text.charCodeAt(end))) end++;
  return BINARY.test(cursor.text.slice(start, end)) ? takeWord(test) : undefined;
}

/** Reads redirections and the bodies of heredocs. */
import { type Cursor, type HeredocBody, isMeta } from './cursor.ts';
import type { Range, Redirect, RedirectOperator, ShellHeredoc, ShellWord } from './syntax.ts';
import { readQuoted, readWord } from './words.ts';

const OPERATORS: readonly RedirectOperator[] = [
  '&>>',
  '<<<',
  '<<-',
  '<<',
  '<&',
  '<>',
  '>>',
  '>&',
  '>|',
  '&>',
  '<',
  '>',
];
const VARIABLE = /\{[A-Za-z_][A-Za-z0-9_]{0,100}\}(?=[<>])/y;

export interface RedirectHead {
  readonly operator: RedirectOperator;
  /** Characters before the operator: a descriptor's number or `{name}`. */
  readonly descriptor: number;
}

/** What redirection begins at the cursor, or undefined. */
export function redirectAt(cursor: Cursor): RedirectHead | undefined {
  const code = cursor.code();
  if (code === 0x7b) {
    VARIABLE.lastIndex = cursor.at;
    const length = VARIABLE.exec(cursor.text)?.[0].length ?? 0;
    return length === 0 ? undefined : headAt(cursor, length);
  }
  if (code >= 48 && code <= 57) {
    let digits = 1;
    while (digits < 10 && cursor.code(digits) >= 48 && cursor.code(digits) <= 57) digits++;
    const next = cursor.code(digits);
    return next === 0x3c || next === 0x3e ? headAt(cursor, digits) : undefined;
  }
  return code === 0x3c || code === 0x3e || code === 0x26 ? headAt(cursor, 0) : undefined;
}

function headAt(cursor: Cursor, descriptor: number): RedirectHead | undefined {
  const at = cursor.at + descriptor;
  const operator = OPERATORS.find(
    (text) => at + text.length <= cursor.end && cursor.text.startsWith(text, at),
  );
  if (operator === undefined) return undefined;
  const process = operator.length === 1 && cursor.code(descriptor + 1) === 0x28;
  if (process && descriptor === 0 && cursor.dialect !== 'sh') return undefined;
  return { operator, descriptor };
}

/** Reads the redirection at the cursor; there must be one (`redirectAt`). */
export function readRedirect(cursor: Cursor): Redirect {
  const start = cursor.at;
  const { operator, descriptor } = redirectAt(cursor) ?? { operator: '>', descriptor: 0 };
  cursor.at += descriptor;
  const operatorStart = cursor.at;
  cursor.at += operator.length;
  const operatorRange = cursor.mark('operator', operatorStart);
  cursor.skipBlanks();
  const target = readTarget(cursor);
  if (target === undefined) {
    cursor.report('missing-word', `there is nothing behind '${operator}'`, operatorRange);
  }
  const end = target?.range.end ?? operatorRange.end;
  const redirect = {
    operator,
    operatorRange,
    descriptor: cursor.text.slice(start, start + descriptor),
    target,
    heredoc: undefined as ShellHeredoc | undefined,
    range: { start: cursor.range(start, start + 1).start, end },
  };
  if (target !== undefined && (operator === '<<' || operator === '<<-')) {
    expectBody(cursor, redirect, target);
  }
  return redirect;
}

function readTarget(cursor: Cursor): ShellWord | undefined {
  const process = cursor.code(1) === 0x28 && cursor.dialect !== 'sh';
  if (cursor.done || (isMeta(cursor.code()) && !process)) return undefined;
  const word = readWord(cursor);
  return word.text === '' ? undefined : word;
}

interface OpenRedirect {
  readonly operator: RedirectOperator;
  heredoc: ShellHeredoc | undefined;
}

/** Puts the heredoc on the list of those whose body comes with the next line. */
function expectBody(cursor: Cursor, redirect: OpenRedirect, target: ShellWord): void {
  const delimiter = target.value ?? target.text;
  const quoted = target.parts.some(({ kind }) => kind !== 'literal' && kind !== 'glob');
  const { range } = target;
  const fill = (body: HeredocBody): void => {
    redirect.heredoc = readBody(cursor, { delimiter, quoted }, body);
  };
  cursor.waiting.push({ delimiter, tabs: redirect.operator === '<<-', range, fill });
}

function readBody(
  cursor: Cursor,
  head: { delimiter: string; quoted: boolean },
  { start, end, endRange }: HeredocBody,
): ShellHeredoc {
  const after = cursor.at;
  cursor.at = start;
  const parts = head.quoted
    ? []
    : cursor.within(end, () => readQuoted(cursor, { until: undefined })).parts;
  cursor.at = after;
  const text = cursor.text.slice(start, end);
  return { ...head, text, parts, bodyRange: rangeOf(cursor, start, end), endRange };
}

function rangeOf(cursor: Cursor, start: number, end: number): Range {
  const whole = cursor.range(start, end);
  return end > start ? whole : { start: whole.end, end: whole.end };
}

/** Takes the bodies of all heredocs that wait; the cursor stands at the start of a line or at the end of the text. */
export function readHeredocs(cursor: Cursor): void {
  const { waiting } = cursor;
  cursor.waiting = [];
  for (const heredoc of waiting) {
    const start = cursor.at;
    const terminator = takeBody(cursor, heredoc);
    if (terminator === undefined) {
      const message = `no line holds only ${heredoc.delimiter}, which ends this heredoc`;
      cursor.report('unterminated-heredoc', message, heredoc.range);
    }
    heredoc.fill({ start, end: terminator?.at ?? cursor.at, endRange: terminator?.range });
  }
}

/** Moves behind the delimiter's line and gives its place; without one to the end of the text. */
function takeBody(
  cursor: Cursor,
  { delimiter, tabs }: { delimiter: string; tabs: boolean },
): { at: number; range: Range } | undefined {
  while (!cursor.done) {
    const at = cursor.at;
    let from = at;
    while (tabs && cursor.text.charCodeAt(from) === 9) from++;
    let end = cursor.find(10, at);
    cursor.at = Math.min(end + 1, cursor.end);
    while (end > from && cursor.text.charCodeAt(end - 1) === 13) end--;
    if (end - from === delimiter.length && cursor.text.startsWith(delimiter, from)) {
      return { at, range: cursor.range(from, end) };
    }
  }
  return undefined;
}

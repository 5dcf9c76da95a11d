/** Reads what begins with a dollar or a backtick: parameters, command substitutions, arithmetic; and `<(…)`. */
import { SourceText } from '../source.ts';
import type { Break } from '../syntax.ts';
import { faultIn } from './arithmetic/check.ts';
import { type Piece, tokensOf } from './arithmetic/tokens.ts';
import { literalFrom } from './builder.ts';
import { Cursor, isDigit, isNameStart } from './cursor.ts';
import type {
  ArithmeticPart,
  ArithmeticToken,
  CommandPart,
  LiteralPart,
  ParameterPart,
  ProcessPart,
  Sequence,
  ShellWord,
  WordPart,
} from './syntax.ts';

export type Quoting = 'quoted' | 'unquoted';

const SPECIAL = '@*#?-$!';
const OPERATORS = [':-', ':=', ':?', ':+', '##', '%%', '//', '/#', '/%', '^^', ',,'] as const;
const SHORT_OPERATORS = '-=?+#%/^,:@';

/** Reads from a `$`; a dollar that means nothing is a literal. */
export function readDollar(
  cursor: Cursor,
  quoting: Quoting,
): ParameterPart | CommandPart | ArithmeticPart | LiteralPart {
  const start = cursor.at;
  const next = cursor.code(1);
  if (next === 0x7b) return readBraced(cursor, quoting);
  if (next === 0x28) return readParenthesised(cursor);
  const length = nameLength(cursor, start + 1, 'short');
  cursor.at = start + 1 + length;
  if (length === 0) return literalFrom(cursor, start);
  return {
    kind: 'parameter',
    text: cursor.slice(start),
    name: cursor.slice(start + 1),
    nameRange: cursor.range(start + 1),
    braced: false,
    prefix: '',
    index: undefined,
    operator: '',
    operand: undefined,
    range: cursor.range(start),
  };
}

/** The length of a parameter's name; `short` takes one digit only, as `$12` is `$1` and a 2. */
function nameLength(cursor: Cursor, from: number, form: 'short' | 'braced'): number {
  const { text, end } = cursor;
  if (from >= end) return 0;
  const first = text.charCodeAt(from);
  let at = from;
  if (isNameStart(first)) {
    while (at < end && (isNameStart(text.charCodeAt(at)) || isDigit(text.charCodeAt(at)))) at++;
    return at - from;
  }
  if (isDigit(first)) {
    if (form === 'short') return 1;
    while (at < end && isDigit(text.charCodeAt(at))) at++;
    return at - from;
  }
  return SPECIAL.includes(text[from] ?? '') ? 1 : 0;
}

function readBraced(cursor: Cursor, quoting: Quoting): ParameterPart {
  const start = cursor.at;
  cursor.at += 2;
  const prefix = takePrefix(cursor);
  const nameStart = cursor.at;
  cursor.at += nameLength(cursor, nameStart, 'braced');
  const name = cursor.slice(nameStart);
  const nameRange = cursor.range(nameStart);
  const rest = cursor.nested(start, () => readModifier(cursor, name, quoting));
  const { index, operator = '', operand } = rest ?? {};
  const closed = cursor.code() === 0x7d;
  if (closed) cursor.at++;
  const opening = cursor.range(start, Math.min(start + 2, cursor.end));
  if (!closed) cursor.report('unclosed-expansion', "this '${' has no '}'", opening);
  else if (name === '' || (operator === '' && operand !== undefined))
    cursor.report('bad-substitution', 'this is no valid ${…}', cursor.range(start));
  return {
    kind: 'parameter',
    text: cursor.slice(start),
    name,
    nameRange,
    braced: true,
    prefix,
    index,
    operator,
    operand,
    range: cursor.range(start),
  };
}

/** `#` or `!` before a name; alone they are names. */
function takePrefix(cursor: Cursor): '#' | '!' | '' {
  const code = cursor.code();
  if (code !== 0x23 && code !== 0x21) return '';
  const next = cursor.code(1);
  const named = isNameStart(next) || isDigit(next) || next === 0x40 || next === 0x2a;
  if (!named) return '';
  cursor.at++;
  return code === 0x23 ? '#' : '!';
}

interface Modifier {
  readonly index: ShellWord | undefined;
  readonly operator: string;
  readonly operand: ShellWord | undefined;
}

function readModifier(cursor: Cursor, name: string, quoting: Quoting): Modifier {
  const { operand: readOperand } = cursor.grammar;
  let index: ShellWord | undefined;
  if (name !== '' && cursor.code() === 0x5b) {
    cursor.at++;
    index = readOperand(cursor, ']}', quoting);
    if (cursor.code() === 0x5d) cursor.at++;
  }
  if (cursor.code() === 0x7d || cursor.done) return { index, operator: '', operand: undefined };
  const operator = operatorAt(cursor);
  cursor.at += operator.length;
  return { index, operator, operand: readOperand(cursor, '}', quoting) };
}

function operatorAt(cursor: Cursor): string {
  const long = OPERATORS.find((operator) => cursor.startsWith(operator));
  if (long !== undefined) return long;
  const short = cursor.done ? '' : (cursor.text[cursor.at] ?? '');
  return short !== '' && SHORT_OPERATORS.includes(short) ? short : '';
}

/** `$(…)` or `$((…))`. */
function readParenthesised(cursor: Cursor): CommandPart | ArithmeticPart {
  const start = cursor.at;
  if (cursor.code(2) === 0x28) {
    const close = arithmeticEnd(cursor, start + 3);
    if (close >= 0) {
      cursor.at = start + 3;
      return readArithmetic(cursor, start, { close });
    }
  }
  cursor.at = start + 2;
  const body = readSubstitution(cursor, start);
  const text = cursor.slice(start);
  return { kind: 'command', style: 'dollar', text, body, range: cursor.range(start) };
}

/** `<(…)` or `>(…)`. */
export function readProcess(cursor: Cursor): ProcessPart {
  const start = cursor.at;
  const direction = cursor.code() === 0x3c ? '<' : '>';
  cursor.at += 2;
  const body = readSubstitution(cursor, start);
  return {
    kind: 'process',
    direction,
    text: cursor.slice(start),
    body,
    range: cursor.range(start),
  };
}

/** Commands up to the `)` and that itself; what is open around it cannot be closed within. */
function readSubstitution(cursor: Cursor, start: number): Sequence {
  const inside = cursor.at;
  cursor.mark('operator', start);
  const around = cursor.expected;
  cursor.expected = new Map([[')', 1]]);
  const body = cursor.nested(start, () => cursor.grammar.sequence(cursor));
  cursor.expected = around;
  if (cursor.code() === 0x29) {
    cursor.at++;
    cursor.mark('operator', cursor.at - 1);
  } else {
    const opening = cursor.range(start, Math.min(start + 2, cursor.end));
    cursor.report('unclosed-substitution', "this '(' has no ')'", opening);
  }
  return body ?? { kind: 'sequence', items: [], range: cursor.range(inside, inside) };
}

/**
 * The index of the `))` that closes arithmetic whose inside begins at `from`, or -1: then it is a substitution or
 * subshell. Quotes are passed over; how far this may look in one text is bounded.
 */
export function arithmeticEnd(cursor: Cursor, from: number): number {
  const { text, end } = cursor;
  if (!cursor.mayLook(1)) return -1;
  const stop = Math.min(end - 1, from + MAX_ARITHMETIC);
  let depth = 0;
  let quote = 0;
  let at = from;
  let found = -1;
  for (; at < stop; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (quote !== 0) quote = code === quote ? 0 : quote;
    else if (code === 0x27 || code === 0x22) quote = code;
    else if (code === 0x28) depth++;
    else if (code === 0x29 && depth-- === 0) {
      found = text.charCodeAt(at + 1) === 0x29 ? at : -1;
      break;
    }
  }
  cursor.mayLook(at - from);
  return found;
}

const MAX_ARITHMETIC = 20_000;

/** Reads arithmetic from its inside to the `))` at `close`, and takes that too. */
export function readArithmetic(
  cursor: Cursor,
  start: number,
  { close, form = 'one' }: { readonly close: number; readonly form?: 'one' | 'loop' },
): ArithmeticPart {
  const inside = cursor.at;
  const read = cursor.within(close, () => cursor.nested(start, () => readExpression(cursor)));
  const { parts = [], tokens = [] } = read ?? {};
  const bracket = (from: number, end: number): ArithmeticToken => ({
    kind: 'operator',
    text: cursor.text.slice(from, end),
    range: cursor.range(from, end),
  });
  const opening = bracket(start, inside);
  const range = cursor.range(start, close + 2);
  if (read !== undefined) judge(cursor, { tokens, form, opening });
  cursor.at = close + 2;
  const text = cursor.slice(start);
  const all = [opening, ...tokens, bracket(close, close + 2)];
  return { kind: 'arithmetic', text, parts, tokens: all, range };
}

/** Reports what is no expression; a loop has three of them. */
function judge(
  cursor: Cursor,
  about: {
    tokens: readonly ArithmeticToken[];
    form: 'one' | 'loop';
    opening: ArithmeticToken;
  },
): void {
  const { tokens, form, opening } = about;
  // `((…))` is two subshells to dash; ksh and zsh reckon with fractions.
  const isJudged =
    cursor.dialect === 'bash' || (cursor.dialect === 'sh' && opening.text.startsWith('$'));
  if (!isJudged) return;
  let from = 0;
  for (let at = 0; at <= tokens.length; at++) {
    const isEnd = at === tokens.length || (form === 'loop' && tokens[at]?.text === ';');
    if (!isEnd) continue;
    const fault = faultIn(from === 0 && at === tokens.length ? tokens : tokens.slice(from, at));
    if (fault !== undefined)
      cursor.report('bad-arithmetic', fault.message, fault.range ?? opening.range);
    from = at + 1;
  }
}

interface Expression {
  readonly parts: readonly WordPart[];
  readonly tokens: readonly ArithmeticToken[];
}

function readExpression(cursor: Cursor): Expression {
  const parts: WordPart[] = [];
  const pieces: Piece[] = [];
  let plain = cursor.at;
  const endPlain = (): void => {
    if (cursor.at === plain) return;
    parts.push(literalFrom(cursor, plain));
    pieces.push({ kind: 'plain', start: plain, end: cursor.at });
  };
  while (!cursor.done) {
    const code = cursor.code();
    if (code !== 0x24 && code !== 0x60) {
      cursor.at++;
      continue;
    }
    endPlain();
    const start = cursor.at;
    parts.push(code === 0x24 ? readDollar(cursor, 'quoted') : readBacktick(cursor, 'quoted'));
    pieces.push({ kind: 'expansion', start, end: cursor.at });
    plain = cursor.at;
  }
  endPlain();
  return { parts, tokens: tokensOf(cursor, pieces) };
}

/** Reads a command substitution in backticks: its escapes are taken off first, and the places of the rest kept. */
export function readBacktick(cursor: Cursor, quoting: Quoting): CommandPart {
  const start = cursor.at;
  const { text, end } = cursor;
  const pieces: string[] = [];
  const breaks: Break[] = [];
  let length = 0;
  let from = start + 1;
  let at = from;
  const piece = (): void => {
    if (at > from) {
      breaks.push({ index: length, offset: from });
      pieces.push(text.slice(from, at));
      length += at - from;
    }
  };
  while (at < end && text.charCodeAt(at) !== 0x60) {
    const escaped =
      text.charCodeAt(at) === 0x5c && at + 1 < end && escapable(text[at + 1], quoting);
    if (escaped) {
      piece();
      from = at + 1;
    }
    at += escaped ? 2 : 1;
  }
  at = Math.min(at, end);
  piece();
  const closed = at < end;
  cursor.at = closed ? at + 1 : end;
  if (!closed) {
    const opening = cursor.range(start, start + 1);
    cursor.report('unclosed-substitution', 'this backtick is never closed', opening);
  }
  const inner = innerSource(cursor, { text: pieces.join(''), breaks, start: start + 1 });
  const body = cursor.nested(start, () => readInner(cursor, inner));
  const empty = { kind: 'sequence', items: [], range: cursor.range(start + 1, start + 1) } as const;
  return {
    kind: 'command',
    style: 'backtick',
    text: cursor.slice(start),
    body: body ?? empty,
    range: cursor.range(start),
  };
}

function escapable(character: string | undefined, quoting: Quoting): boolean {
  if (character === '`' || character === '\\' || character === '$') return true;
  return character === '"' && quoting === 'quoted';
}

/** The source of the text in backticks: its breaks count in the cursor's text, the result's in the file. */
function innerSource(
  cursor: Cursor,
  inner: { text: string; breaks: readonly Break[]; start: number },
): SourceText {
  const { source } = cursor;
  if (inner.breaks.length === 0) {
    return new SourceText('', [{ index: 0, offset: source.offset(inner.start) }]);
  }
  const breaks: Break[] = [];
  for (const [number, { index, offset }] of inner.breaks.entries()) {
    const next = inner.breaks[number + 1];
    const stop = offset + (next?.index ?? inner.text.length) - index;
    breaks.push({ index, offset: source.offset(offset) });
    for (const outer of source.breaksBetween(offset + 1, stop)) {
      breaks.push({ index: index + outer.index - offset, offset: outer.offset });
    }
  }
  return new SourceText(inner.text, breaks);
}

function readInner(cursor: Cursor, source: SourceText): Sequence {
  const { dialect, grammar, findings } = cursor;
  const inner = new Cursor(source, dialect, grammar, findings);
  const body = grammar.sequence(inner);
  if (inner.waiting.length > 0) grammar.heredocs(inner);
  return body;
}

/**
 * Cuts what stands in `$((…))` and `((…))` into names, numbers and operators, and says of each name whether it is read or
 * set. Whether they make an expression is the business of check.ts.
 */
import type { Cursor } from '../cursor.ts';
import type { ArithmeticName, ArithmeticToken } from '../syntax.ts';

/** A stretch of the cursor's text: plain characters, or an expansion. */
export interface Piece {
  readonly kind: 'plain' | 'expansion';
  readonly start: number;
  readonly end: number;
}

const TOKEN =
  /(?<name>[A-Za-z_]\w*)|(?<number>\d[\w#@]*)|<<=|>>=|\*\*|&&|\|\||\+\+|--|<<|>>|[-+*/%&|^<>=!]=|\S/gy;

/** `=`, `+=`, `<<=`, …; and `++`, `--`. */
const SETS = /^(?:(?:[-+*/%&|^]|<<|>>)?=|\+\+|--)$/;

interface Found {
  readonly kind: ArithmeticToken['kind'];
  readonly start: number;
  end: number;
}

/** The tokens of some pieces that stand behind each other. Quotes and blanks are none. */
export function tokensOf(cursor: Cursor, pieces: readonly Piece[]): readonly ArithmeticToken[] {
  const found = lex(cursor.text, pieces);
  let depth = 0;
  return found.map(({ kind, start, end }, at) => {
    const text = cursor.text.slice(start, end);
    const range = cursor.range(start, end);
    if (text === '[') depth++;
    if (text === ']') depth--;
    if (kind !== 'name') return { kind, text, range };
    const near = (index: number): string => {
      const token = found[index];
      return token === undefined ? '' : cursor.text.slice(token.start, token.end);
    };
    const after = near(at + 1) === '[' ? near(closing(cursor.text, found, at + 1)) : near(at + 1);
    return { kind, text, range, access: depth > 0 ? 'index' : accessOf(near(at - 1), after) };
  });
}

function lex(text: string, pieces: readonly Piece[]): Found[] {
  const found: Found[] = [];
  const add = (kind: Found['kind'], start: number, end: number): void => {
    const before = found.at(-1);
    // `10#$month`, `a$i`, `$a$b`: together one operand, which only the shell knows.
    const isJoined =
      before?.end === start &&
      before.kind !== 'operator' &&
      kind !== 'operator' &&
      (kind === 'expansion' || before.kind === 'expansion');
    if (isJoined) found[found.length - 1] = { kind: 'expansion', start: before.start, end };
    else found.push({ kind, start, end });
  };
  for (const { kind, start, end } of pieces) {
    if (kind === 'expansion') {
      // A dollar that means nothing is no operand.
      add(end - start === 1 ? 'operator' : 'expansion', start, end);
      continue;
    }
    for (let at = blanksEnd(text, start, end); at < end; at = blanksEnd(text, at, end)) {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(text);
      if (match === null) break;
      const { name, number } = match.groups ?? {};
      const length = isSigns(text, match[0], found.at(-1)) ? 1 : match[0].length;
      const stop = Math.min(end, at + length);
      add(name !== undefined ? 'name' : number !== undefined ? 'number' : 'operator', at, stop);
      at = stop;
    }
  }
  return found;
}

/** `++` and `--` behind what is no variable: two signs. */
function isSigns(text: string, operator: string, before: Found | undefined): boolean {
  if ((operator !== '++' && operator !== '--') || before === undefined) return false;
  return before.kind === 'number' || text.slice(before.start, before.end) === ')';
}

/** Passes white space, double quotes and line continuations. */
function blanksEnd(text: string, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    const isBlank = code === 32 || code === 0x22 || (code >= 9 && code <= 13);
    const isContinued = code === 0x5c && /[\r\n"]/.test(text[at + 1] ?? '');
    if (!isBlank && !isContinued) break;
    at++;
  }
  return at;
}

/** How far a subscript is looked through for its end. */
const SUBSCRIPT_LIMIT = 50;

/** The index behind the bracket that closes the one at `open`. */
function closing(text: string, found: readonly Found[], open: number): number {
  let depth = 0;
  for (let at = open; at < found.length && at < open + SUBSCRIPT_LIMIT; at++) {
    const token = found[at];
    const code = token?.kind === 'operator' ? text.charCodeAt(token.start) : 0;
    if (code === 0x5b) depth++;
    else if (code === 0x5d && --depth === 0) return at + 1;
  }
  return found.length;
}

function accessOf(before: string, after: string): ArithmeticName['access'] {
  if (after === '=') return 'write';
  return SETS.test(after) || before === '++' || before === '--' ? 'both' : 'read';
}

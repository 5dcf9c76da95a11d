/**
 * Says whether tokens make an expression of bash's arithmetic (dash's is a part of it), and if not, where and why. What
 * an expansion stands for is not known: a text with one in it is only faulted for what no value could mend.
 */
import type { ArithmeticToken, Range } from '../syntax.ts';

export interface ArithmeticFault {
  readonly message: string;
  /** undefined: at the end of the expression. */
  readonly range: Range | undefined;
}

/** How tightly binary operators bind. Those of one level are read from the left, `**` from the right. */
const LEVELS: ReadonlyMap<string, number> = new Map(
  ['||', '&&', '|', '^', '&', '== !=', '< > <= >=', '<< >>', '+ -', '* / %', '**'].flatMap(
    (operators, level) => operators.split(' ').map((text) => [text, level + 1] as const),
  ),
);

const ASSIGNS = /^(?:[-+*/%&|^]|<<|>>)?=$/;
const UNARY = new Set(['!', '~', '+', '-', '++', '--']);

/** Deeper expressions are not judged. */
const DEPTH = 100;

/** The first fault of an expression; undefined for a right one, an empty one, and one that is not judged. */
export function faultIn(tokens: readonly ArithmeticToken[]): ArithmeticFault | undefined {
  if (tokens.length === 0) return undefined;
  const reader = new Reader(tokens);
  reader.list();
  const { fault } = reader;
  if (fault === undefined || fault === 'given-up') return undefined;
  const isOpen = tokens.some(({ kind }) => kind === 'expansion');
  return isOpen && !fault.certain ? undefined : fault;
}

interface Fault extends ArithmeticFault {
  /** It is one whatever the expansions stand for. */
  readonly certain: boolean;
}

/** Reads once from left to right, up to the first fault. */
class Reader {
  fault: Fault | 'given-up' | undefined;
  private readonly tokens: readonly ArithmeticToken[];
  private at = 0;
  private depth = 0;

  constructor(tokens: readonly ArithmeticToken[]) {
    this.tokens = tokens;
  }

  /** The whole. */
  list(): void {
    this.commas();
    const rest = this.tokens[this.at];
    if (this.fault !== undefined || rest === undefined) return;
    const message = ASSIGNS.test(rest.text)
      ? `'${rest.text}' sets a variable, and before it is none`
      : `'${rest.text}' cannot stand here in arithmetic`;
    this.fail(message, rest);
  }

  private commas(): void {
    do this.assignment();
    while (this.take(','));
  }

  private assignment(): void {
    if (this.isDeep()) return;
    const start = this.at;
    if (this.tokens[start]?.kind === 'name') {
      this.variable();
      const operator = this.next;
      if (operator !== undefined && ASSIGNS.test(operator)) {
        this.at++;
        this.assignment();
        this.depth--;
        return;
      }
      this.at = start;
    }
    this.conditional();
    this.depth--;
  }

  private conditional(): void {
    this.binary(1);
    while (this.take('?')) {
      this.commas();
      if (this.fault !== undefined) return;
      if (!this.take(':')) {
        this.fail("this '?' has no ':'", this.tokens[this.at]);
        return;
      }
      this.binary(1);
    }
  }

  private binary(level: number): void {
    if (this.isDeep()) return;
    this.operand();
    while (this.fault === undefined) {
      const operator = this.next;
      const own = operator === undefined ? 0 : (LEVELS.get(operator) ?? 0);
      if (own < level || own === 0) break;
      this.at++;
      this.binary(operator === '**' ? own : own + 1);
    }
    this.depth--;
  }

  private operand(): void {
    let prefix = '';
    while (this.next !== undefined && UNARY.has(this.next)) {
      prefix = this.next;
      this.at++;
    }
    const token = this.tokens[this.at];
    if (token?.kind === 'number') {
      this.at++;
      if (!isNumber(token.text)) this.fail(`'${token.text}' is no number`, token);
    } else if (token?.kind === 'name' || token?.kind === 'expansion') {
      this.variable();
      if (token.kind === 'expansion' || !/^(\+\+|--)$/.test(prefix)) this.increment();
    } else if (this.take('(')) {
      this.commas();
      if (this.fault === undefined && !this.take(')'))
        this.fail("this '(' has no ')'", token, { certain: true });
    } else this.missing(token);
  }

  private missing(token: ArithmeticToken | undefined): void {
    const before = this.tokens[this.at - 1];
    const message =
      before === undefined
        ? `'${token?.text ?? ''}' has nothing before it`
        : `'${before.text}' has nothing behind it`;
    const isEnd = token === undefined || token.text === ')';
    const isOperator = before !== undefined && LEVELS.has(before.text);
    this.fail(message, before ?? token, { certain: isEnd && isOperator });
  }

  /** A name, and what stands in brackets behind it: that may be the key of a table, and is not judged. */
  private variable(): void {
    this.at++;
    if (this.next !== '[') return;
    let open = 0;
    do {
      const text = this.tokens[this.at++]?.text;
      if (text === '[') open++;
      else if (text === ']') open--;
    } while (open > 0 && this.at < this.tokens.length);
    if (open > 0) this.fail("this '[' has no ']'", undefined);
  }

  private increment(): void {
    const after = this.tokens[this.at + 1];
    // Before an operand they are signs: `a ++b` is `a + +b` to some, and an error to others.
    const isOperand = after !== undefined && (after.kind !== 'operator' || after.text === '(');
    if ((this.next === '++' || this.next === '--') && !isOperand) this.at++;
  }

  private get next(): string | undefined {
    const token = this.tokens[this.at];
    return token?.kind === 'operator' ? token.text : undefined;
  }

  private take(operator: string): boolean {
    if (this.fault !== undefined || this.next !== operator) return false;
    this.at++;
    return true;
  }

  private isDeep(): boolean {
    if (this.fault === undefined && ++this.depth > DEPTH) this.fault = 'given-up';
    return this.fault !== undefined;
  }

  private fail(
    message: string,
    token: ArithmeticToken | undefined,
    { certain }: { readonly certain: boolean } = { certain: false },
  ): void {
    this.fault ??= { message, range: token?.range, certain };
  }
}

/** `12`, `017`, `0x1f`, `16#ff`: each digit below its base. */
function isNumber(text: string): boolean {
  if (/^0[xX][\da-fA-F]+$/.test(text)) return true;
  const based = /^(\d+)#([\w@]+)$/.exec(text);
  if (based === null) return /^(0[0-7]*|[1-9]\d*)$/.test(text);
  const base = Number(based[1]);
  if (base < 2 || base > 64) return false;
  return Array.from(based[2] ?? '').every((digit) => digitOf(digit, base) < base);
}

/** Up to base 36 small and capital letters are alike; above come the capitals, `@` and `_`. */
function digitOf(digit: string, base: number): number {
  const digits = '0123456789abcdefghijklmnopqrstuvwxyz';
  const low = digits.indexOf(base <= 36 ? digit.toLowerCase() : digit);
  if (low >= 0) return low;
  if (digit === '@') return 62;
  return digit === '_' ? 63 : 26 + digits.indexOf(digit.toLowerCase());
}

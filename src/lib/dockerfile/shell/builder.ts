/** Owns the putting together of a word: its parts in order, its value while that is known, its brace expansions. */
import type { Cursor } from './cursor.ts';
import type { LiteralPart, Range, ShellWord, WordPart } from './syntax.ts';

interface OpenBrace {
  readonly at: number;
  separated: boolean;
}

/** Braces nested deeper than this within one word are characters like others. */
const BRACE_DEPTH = 50;

export class WordBuilder {
  readonly start: number;
  readonly parts: WordPart[] = [];
  private readonly cursor: Cursor;
  private readonly braces: Range[] = [];
  private readonly open: OpenBrace[] = [];
  private literalStart: number;
  private value: string[] | undefined = [];

  constructor(cursor: Cursor) {
    this.cursor = cursor;
    this.start = cursor.at;
    this.literalStart = cursor.at;
  }

  /** Ends the run of plain characters at the cursor: what follows is a part of its own. */
  flush(): void {
    const { cursor, literalStart } = this;
    if (cursor.at <= literalStart) return;
    const text = cursor.slice(literalStart);
    this.parts.push({ kind: 'literal', text, range: cursor.range(literalStart) });
    this.value?.push(text);
    this.literalStart = cursor.at;
  }

  /** Adds a part that ends at the cursor. `value` undefined: it is only known when the shell runs. */
  add(part: WordPart, value: string | undefined): void {
    this.parts.push(part);
    this.literalStart = this.cursor.at;
    if (value === undefined) this.value = undefined;
    else this.value?.push(value);
  }

  /** Takes note of an unquoted `{`, `,`, `..` or `}` at the cursor. */
  brace(code: number): void {
    const { cursor, open } = this;
    const last = open.at(-1);
    if (code === 0x7b) {
      if (open.length < BRACE_DEPTH) open.push({ at: cursor.at, separated: false });
    } else if (code === 0x7d) {
      open.pop();
      if (last?.separated === true) this.braces.push(cursor.range(last.at, cursor.at + 1));
    } else if (last !== undefined && (code === 0x2c || cursor.code(1) === 0x2e)) {
      last.separated = true;
    }
  }

  word(): ShellWord {
    this.flush();
    const { cursor, start, parts, braces } = this;
    cursor.findings.work++;
    const value = braces.length > 0 ? undefined : this.value?.join('');
    const text = cursor.slice(start);
    return { kind: 'word', text, value, parts, braces, range: cursor.range(start) };
  }
}

/** The plain characters from an index to the cursor. */
export function literalFrom(cursor: Cursor, start: number): LiteralPart {
  return { kind: 'literal', text: cursor.slice(start), range: cursor.range(start) };
}

/** Finds the variables that a word of a Dockerfile names, with their places. Quotes and the escape character are obeyed. */
import { rangeInWord } from '../../source.ts';
import type { Escape, Range, Word } from '../../syntax.ts';

export interface Reference {
  readonly name: string;
  /** From the dollar to the end of the name or the closing brace. */
  readonly range: Range;
  readonly nameRange: Range;
  /** Where in the word's text the dollar stands. */
  readonly index: number;
  /** `${name:-…}`, `${name-…}`, `${name:+…}` and the like: it may be unset. */
  readonly guarded: boolean;
  /** `${name:-…}` and `${name-…}`. */
  readonly defaulted: boolean;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NONE: readonly Reference[] = [];

/** The references of a word, also those within modifiers. */
export function referencesOf(word: Word, escape: Escape): readonly Reference[] {
  const { text } = word;
  if (!text.includes('$')) return NONE;
  const found: Reference[] = [];
  let single = false;
  let double = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "'" && !double) single = !single;
    else if (single) continue;
    else if (character === '"') double = !double;
    else if (character === escape) at++;
    else if (character === '$') {
      const reference = referenceAt(word, at);
      if (reference !== undefined) found.push(reference);
    }
  }
  return found;
}

function referenceAt(word: Word, index: number): Reference | undefined {
  const { text } = word;
  const braced = text[index + 1] === '{';
  const start = index + (braced ? 2 : 1);
  NAME.lastIndex = start;
  if (!NAME.test(text)) return undefined;
  const end = NAME.lastIndex;
  return new FoundReference(word, { index, start, end, braced });
}

/** Its places are worked out when they are asked for: most references are in order. */
class FoundReference implements Reference {
  readonly name: string;
  readonly index: number;
  readonly guarded: boolean;
  readonly defaulted: boolean;
  private readonly word: Word;
  private readonly nameStart: number;
  private readonly braced: boolean;

  constructor(
    word: Word,
    { index, start, end, braced }: { index: number; start: number; end: number; braced: boolean },
  ) {
    const { text } = word;
    const operator = text[text[end] === ':' ? end + 1 : end] ?? '';
    this.word = word;
    this.name = text.slice(start, end);
    this.index = index;
    this.nameStart = start;
    this.braced = braced;
    this.guarded = braced && operator !== '' && '-+?'.includes(operator);
    this.defaulted = this.guarded && operator === '-';
  }

  get range(): Range {
    const end = this.nameStart + this.name.length;
    const close = this.braced ? this.word.text.indexOf('}', end) : -1;
    return rangeInWord(this.word, this.index, close < 0 ? end : close + 1);
  }

  get nameRange(): Range {
    return rangeInWord(this.word, this.nameStart, this.nameStart + this.name.length);
  }
}

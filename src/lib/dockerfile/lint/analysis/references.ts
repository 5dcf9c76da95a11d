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
  const name = NAME.exec(text)?.[0];
  if (name === undefined) return undefined;
  const nameEnd = start + name.length;
  const operator = braced ? /^:?[-+?]/.exec(text.slice(nameEnd, nameEnd + 2))?.[0] : undefined;
  const close = braced ? text.indexOf('}', nameEnd) : -1;
  return {
    name,
    range: rangeInWord(word, index, close < 0 ? nameEnd : close + 1),
    nameRange: rangeInWord(word, start, nameEnd),
    index,
    guarded: operator !== undefined,
    defaulted: operator?.endsWith('-') === true,
  };
}

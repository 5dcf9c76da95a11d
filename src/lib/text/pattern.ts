/**
 * Shell patterns of `${name#pattern}` and its kin: `*` any characters, `?` one, `\` escapes.
 * Matched by simulation in time pattern × text, never by backtracking, since the pattern may be hostile.
 */

type Token = 'any' | 'one' | { readonly literal: string };

export interface Pattern {
  readonly tokens: readonly Token[];
}

/** Reads a pattern; undefined when an escape in it is not allowed (only `\*`, `\?`, `\\`, `\}`, `\/` are). */
export function readPattern(text: string): Pattern | undefined {
  const tokens: Token[] = [];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*') tokens.push('any');
    else if (character === '?') tokens.push('one');
    else if (character === '\\') {
      const next = characters[++at];
      if (next === undefined || !'*?\\}/'.includes(next)) return undefined;
      tokens.push({ literal: next });
    } else tokens.push({ literal: character });
  }
  return { tokens };
}

export type Greed = 'shortest' | 'longest';

/** The text without the prefix that matches; unchanged when none does. */
export function trimPrefix(pattern: Pattern, text: string, greed: Greed): string {
  const characters = Array.from(text);
  const end = matchAt(pattern.tokens, characters, { start: 0, greed });
  return end < 0 ? text : characters.slice(end).join('');
}

/** The text without the suffix that matches; unchanged when none does. */
export function trimSuffix(pattern: Pattern, text: string, greed: Greed): string {
  const characters = Array.from(text).reverse();
  const end = matchAt([...pattern.tokens].reverse(), characters, { start: 0, greed });
  return end < 0 ? text : characters.slice(end).reverse().join('');
}

/** The text with the first match, or every one, replaced; the leftmost longest match counts. */
export function replaceMatches(
  pattern: Pattern,
  text: string,
  replacement: { readonly with: string; readonly scope: 'first' | 'all' },
): string {
  const characters = Array.from(text);
  const out: string[] = [];
  let at = 0;
  let lastEnd = -1;
  while (at <= characters.length) {
    const end = matchAt(pattern.tokens, characters, { start: at, greed: 'longest' });
    const emptyAfterMatch = end === at && at === lastEnd;
    if (end >= 0 && !emptyAfterMatch) {
      out.push(replacement.with);
      if (replacement.scope === 'first') return out.join('') + characters.slice(end).join('');
      lastEnd = end;
    }
    if (end > at) {
      at = end;
    } else {
      out.push(characters[at] ?? '');
      at++;
    }
  }
  return out.join('');
}

/** The end of a match that begins at `start`, or -1. */
function matchAt(
  tokens: readonly Token[],
  characters: readonly string[],
  { start, greed }: { readonly start: number; readonly greed: Greed },
): number {
  let states = closure(tokens, new Set([0]));
  let best = states.has(tokens.length) ? start : -1;
  for (let at = start; at < characters.length && states.size > 0; at++) {
    if (best >= 0 && greed === 'shortest') return best;
    const character = characters[at] ?? '';
    const next = new Set<number>();
    for (const state of states) {
      const token = tokens[state];
      if (token === undefined) continue;
      if (token === 'any' && character !== '\n') next.add(state);
      else if (token === 'one' && character !== '\n') next.add(state + 1);
      else if (typeof token === 'object' && token.literal === character) next.add(state + 1);
    }
    states = closure(tokens, next);
    if (states.has(tokens.length)) best = at + 1;
  }
  return best;
}

/** Adds the states that are reached without a character: past every `*`. */
function closure(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) if (tokens[state] === 'any') states.add(state + 1);
  return states;
}

/**
 * Reads .dockerignore files and says which paths of a build context they leave out (moby's patternmatcher).
 * Patterns are matched by simulation in time pattern × path, never by backtracking.
 */
import { isSpace, trimSpace } from '../text/characters.ts';
import { LineIndex, type Range } from '../text/lines.ts';
import { problemOf } from './problems.ts';
import type { Problem } from './syntax.ts';

export interface IgnorePattern {
  /** Cleaned, without the `!` and without a slash at either end. */
  readonly text: string;
  /** `!pattern`: takes paths back in. */
  readonly negated: boolean;
  readonly range: Range;
}

export interface Dockerignore {
  readonly patterns: readonly IgnorePattern[];
  readonly problems: readonly Problem[];
  /** True when a path (relative to the context, with slashes) is left out of the context. */
  matches(path: string): boolean;
  /** True when a directory and everything below it is left out, so that it need not be read. */
  prunes(directory: string): boolean;
}

type Token =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'one' }
  | { readonly kind: 'star' }
  | { readonly kind: 'deep' }
  | { readonly kind: 'all' }
  | {
      readonly kind: 'class';
      readonly negated: boolean;
      readonly ranges: readonly [string, string][];
    };

interface Compiled extends IgnorePattern {
  readonly tokens: readonly Token[];
  /** The part before the first wildcard. */
  readonly literal: string;
}

/** Parses an ignore file; bad patterns are reported and match nothing. */
export function parseDockerignore(text: string): Dockerignore {
  const lines = new LineIndex(text);
  const problems: Problem[] = [];
  const compiled: Compiled[] = [];
  for (const [index, start] of lines.starts.entries()) {
    const end = lines.starts[index + 1] ?? text.length;
    const pattern = readLine(text, { start: index === 0 ? skipMark(text) : start, end });
    if (pattern === undefined) continue;
    const tokens = pattern.text === '' ? undefined : compile(pattern.text);
    if (tokens === undefined) {
      const shown = text.slice(pattern.range.start, pattern.range.end);
      const message = `'${shown}' is no valid pattern`;
      problems.push(problemOf({ code: 'SyntaxError', message, range: pattern.range }, lines));
    } else compiled.push({ ...pattern, tokens, literal: literalPrefix(tokens) });
  }
  return {
    patterns: compiled.map(({ text: cleaned, negated, range }) => ({
      text: cleaned,
      negated,
      range,
    })),
    problems,
    matches: (path) => isIgnored(compiled, path),
    prunes: (directory) => isPruned(compiled, directory),
  };
}

function skipMark(text: string): number {
  return text.charCodeAt(0) === 0xfeff ? 1 : 0;
}

function readLine(text: string, line: Range): IgnorePattern | undefined {
  if (text[line.start] === '#') return undefined;
  let { start, end } = line;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  if (start === end) return undefined;
  const negated = text[start] === '!';
  const body = trimSpace(text.slice(negated ? start + 1 : start, end));
  const cleaned = body === '' ? '' : cleanPath(body);
  const relative = cleaned.length > 1 && cleaned.startsWith('/') ? cleaned.slice(1) : cleaned;
  return { text: relative, negated, range: { start, end } };
}

/** Go's `filepath.Clean`. */
function cleanPath(path: string): string {
  const rooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!rooted) parts.push('..');
  }
  const joined = parts.join('/');
  if (rooted) return `/${joined}`;
  return joined === '' ? '.' : joined;
}

/** A pattern's tokens; undefined when a class or an escape in it is not ended. */
function compile(pattern: string): Token[] | undefined {
  const characters = Array.from(pattern);
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*' && characters[at + 1] === '*') {
      at += characters[at + 2] === '/' ? 2 : 1;
      tokens.push({ kind: at + 1 >= characters.length ? 'all' : 'deep' });
    } else if (character === '*') tokens.push({ kind: 'star' });
    else if (character === '?') tokens.push({ kind: 'one' });
    else if (character === '[') {
      const read = readClass(characters, at);
      if (read === undefined) return undefined;
      tokens.push(read.token);
      at = read.end;
    } else if (character === '\\') {
      const next = characters[++at];
      if (next === undefined) return undefined;
      tokens.push({ kind: 'character', character: next });
    } else tokens.push({ kind: 'character', character });
  }
  return bareSuffix(pattern, tokens);
}

/** `**name` without any other wildcard matches all paths that end so, at a slash or not. */
function bareSuffix(pattern: string, tokens: Token[]): Token[] {
  const [first, ...rest] = tokens;
  if (first?.kind !== 'deep' || pattern.startsWith('**/') || pattern.includes('\\')) return tokens;
  return rest.every(({ kind }) => kind === 'character') ? [{ kind: 'all' }, ...rest] : tokens;
}

function readClass(
  characters: readonly string[],
  open: number,
): { token: Token; end: number } | undefined {
  const negated = characters[open + 1] === '^';
  const ranges: [string, string][] = [];
  let at = open + (negated ? 2 : 1);
  const take = (): string | undefined => {
    if (characters[at] === '\\') at++;
    return characters[at++];
  };
  while (at < characters.length && (characters[at] !== ']' || ranges.length === 0)) {
    if (characters[at] === ']') return undefined;
    const low = take();
    let high = low;
    if (characters[at] === '-' && characters[at + 1] !== ']') {
      at++;
      high = take();
    }
    if (low === undefined || high === undefined || high < low) return undefined;
    ranges.push([low, high]);
  }
  return at < characters.length
    ? { token: { kind: 'class', negated, ranges }, end: at }
    : undefined;
}

function literalPrefix(tokens: readonly Token[]): string {
  let prefix = '';
  for (const token of tokens) {
    if (token.kind !== 'character') break;
    prefix += token.character;
  }
  return prefix;
}

/** The last pattern that matches the path or one of its parents decides. */
function isIgnored(patterns: readonly Compiled[], path: string): boolean {
  const name = cleanPath(path);
  if (name === '.') return false;
  const paths = [name];
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1))
    paths.push(name.slice(0, at));
  let ignored = false;
  for (const { negated, tokens } of patterns) {
    if (negated !== ignored) continue;
    if (paths.some((candidate) => matchesTokens(tokens, candidate))) ignored = !negated;
  }
  return ignored;
}

function isPruned(patterns: readonly Compiled[], directory: string): boolean {
  if (!isIgnored(patterns, directory)) return false;
  const below = `${cleanPath(directory)}/`;
  return !patterns.some(
    ({ negated, literal }) => negated && (literal.startsWith(below) || below.startsWith(literal)),
  );
}

/** State 2n: before token n; state 2n+1: within token n, a `deep` that has begun and waits for its slash. */
function matchesTokens(tokens: readonly Token[], path: string): boolean {
  let states = closure(tokens, new Set([0]));
  for (const character of path) {
    const next = new Set<number>();
    for (const state of states) step(tokens[state >> 1], { state, character, next });
    if (next.size === 0) return false;
    states = closure(tokens, next);
  }
  return states.has(2 * tokens.length);
}

function step(
  token: Token | undefined,
  { state, character, next }: { state: number; character: string; next: Set<number> },
): void {
  if (token === undefined) return;
  const after = state - (state % 2) + 2;
  const slash = character === '/';
  if (token.kind === 'deep') {
    next.add(after - 1);
    if (slash) next.add(after);
  } else if (token.kind === 'all') next.add(state);
  else if (token.kind === 'star') {
    if (!slash) next.add(state);
  } else if (token.kind === 'one') {
    if (!slash) next.add(after);
  } else if (token.kind === 'character') {
    if (token.character === character) next.add(after);
  } else {
    const inside = token.ranges.some(([low, high]) => character >= low && character <= high);
    if (inside !== token.negated) next.add(after);
  }
}

/** Adds what is reached without a character: past stars, and past a `deep` that has not begun. */
function closure(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) {
    const kind = tokens[state >> 1]?.kind;
    const optional = kind === 'star' || kind === 'all' || kind === 'deep';
    if (optional && state % 2 === 0) states.add(state + 2);
  }
  return states;
}

/**
 * Says what is being written at an offset: the instruction, the words before it, the word under it. It goes by the
 * text, since what is being written seldom parses; line continuations and comments between are passed over.
 */
import { flagTable } from '../../src/lib/dockerfile/flags.ts';
import { instructionAt, lastBefore } from '../../src/lib/dockerfile/scope/places.ts';
import type {
  Break,
  Dockerfile,
  Instruction,
  InstructionKind,
  Range,
} from '../../src/lib/dockerfile/syntax.ts';

/** A word as written, without what continues its line. */
export interface Written {
  readonly text: string;
  readonly range: Range;
}

export type Cursor =
  | { readonly kind: 'nowhere' }
  /** In a comment line; `text` is what stands before the offset on it. */
  | { readonly kind: 'comment'; readonly text: string; readonly line: Range }
  /** Where a keyword stands or may stand. `held`: within ONBUILD. */
  | {
      readonly kind: 'keyword';
      readonly range: Range;
      readonly typed: string;
      readonly held: boolean;
    }
  /** In a heredoc's body; `text` is what stands before the offset on its line. */
  | { readonly kind: 'body'; readonly instruction: Instruction; readonly text: string }
  | Argument;

/** Behind the keyword of an instruction that exists. */
export interface Argument {
  readonly kind: 'flag' | 'argument';
  readonly instruction: Instruction;
  readonly instructionKind: InstructionKind;
  /** The words between the keyword and the cursor's one, flags included. */
  readonly before: readonly Written[];
  /** The word under the cursor up to it. */
  readonly typed: string;
  /** What follows of the word behind the cursor. */
  readonly rest: string;
  /** The whole word under the cursor, as far as it goes on the cursor's line. */
  readonly word: Range;
  /** From `index` of `typed` on the word stands on the cursor's line, at `offset`; what is before stands on lines above. */
  readonly piece: Break;
  /** How many words that are no flags stand before it. */
  readonly index: number;
}

const NOWHERE: Cursor = { kind: 'nowhere' };

export function cursorAt(file: Dockerfile, offset: number): Cursor {
  const comment = lastBefore(file.comments, offset - 1);
  if (comment !== undefined && offset <= comment.range.end) {
    const { range } = comment;
    return { kind: 'comment', text: file.text.slice(range.start, offset), line: range };
  }
  const directive = directiveAt(file, offset);
  if (directive !== undefined) return directive;
  const instruction = instructionAt(file, offset) ?? continuedBefore(file, offset);
  if (instruction === undefined) {
    return { kind: 'keyword', range: { start: offset, end: offset }, typed: '', held: false };
  }
  return within(file, instruction, { offset, held: false });
}

/** The instruction whose continued lines lead to the offset: that of the file's end is behind its range. */
function continuedBefore(
  { instructions, text, directives }: Dockerfile,
  offset: number,
): Instruction | undefined {
  const found = offset === text.length ? instructions.at(-1) : undefined;
  if (found === undefined || text.slice(found.range.end, offset).trim() !== '') return undefined;
  let end = found.range.end;
  while (end > found.keyword.range.end) {
    const start = text.lastIndexOf('\n', end - 1) + 1;
    const line = text.slice(start, end).trim();
    if (line !== '' && !line.startsWith('#'))
      return line.endsWith(directives.escapeCharacter) ? found : undefined;
    end = start - 1;
  }
  return undefined;
}

function directiveAt({ directives, text }: Dockerfile, offset: number): Cursor | undefined {
  for (const directive of [directives.syntax, directives.escape, directives.check]) {
    const range = directive?.range;
    if (range === undefined || offset <= range.start || offset > range.end) continue;
    return { kind: 'comment', text: text.slice(range.start, offset), line: range };
  }
  return undefined;
}

function within(
  file: Dockerfile,
  instruction: Instruction,
  { offset, held }: { offset: number; held: boolean },
): Cursor {
  const { keyword } = instruction;
  if (offset <= keyword.range.end) {
    const { start } = keyword.range;
    if (offset < start) return NOWHERE;
    return { kind: 'keyword', range: keyword.range, typed: file.text.slice(start, offset), held };
  }
  if (instruction.kind === 'ONBUILD') {
    const { instruction: inner, argument } = instruction;
    if (inner !== undefined && offset >= inner.keyword.range.start)
      return within(file, inner, { offset, held: true });
    const isBare = argument.text === '' || offset <= argument.range.start;
    return isBare && inner === undefined
      ? { kind: 'keyword', range: { start: offset, end: offset }, typed: '', held: true }
      : NOWHERE;
  }
  if ('heredocs' in instruction) {
    const [first] = instruction.heredocs;
    const start = first?.contentRange.start ?? Infinity;
    if (offset >= start && file.text[start - 1] === '\n') {
      const line = file.text.lastIndexOf('\n', offset - 1) + 1;
      return { kind: 'body', instruction, text: file.text.slice(line, offset) };
    }
  }
  return instruction.kind === 'UNKNOWN' ? NOWHERE : argumentAt(file, instruction, offset);
}

function argumentAt(
  file: Dockerfile,
  instruction: Exclude<Instruction, { kind: 'UNKNOWN' }>,
  offset: number,
): Cursor {
  const { before, open } = wordsBetween(file, instruction.keyword.range.end, offset);
  const typed = open?.text ?? '';
  const start = open?.start ?? offset;
  const hasFlags = Object.keys(flagTable(instruction.kind)).length > 0;
  const flags = hasFlags ? flagCount(before) : 0;
  const inFlags = flags === before.length && before.at(-1)?.text !== '--';
  return {
    kind: hasFlags && inFlags && typed.startsWith('-') ? 'flag' : 'argument',
    instruction,
    instructionKind: instruction.kind,
    before,
    typed,
    rest: restOf(file, offset, instruction.range.end),
    word: { start, end: wordEnd(file, offset) },
    piece: open?.piece ?? { index: 0, offset },
    index: before.length - flags,
  };
}

/** Flags stand before everything else; `--` ends them. */
function flagCount(words: readonly Written[]): number {
  const first = words.findIndex(({ text }) => !text.startsWith('--') || text === '--');
  if (first < 0) return words.length;
  return words[first]?.text === '--' ? first + 1 : first;
}

/** The end of the word under an offset, on its line. */
function wordEnd({ text, directives }: Dockerfile, offset: number): number {
  let end = offset;
  while (end < text.length && !/\s/.test(text[end] ?? ' ')) {
    const isEscape = text[end] === directives.escapeCharacter;
    if (isEscape && /^.[ \t]*\r?\n/s.test(text.slice(end, end + 80))) break;
    end++;
  }
  return end;
}

/** What the word under an offset goes on with, over continued lines too. */
function restOf(file: Dockerfile, offset: number, limit: number): string {
  const { text, directives } = file;
  let rest = '';
  for (let at = offset; at < limit; at++) {
    const character = text[at] ?? ' ';
    const next =
      character === directives.escapeCharacter ? continuedAt(text, at, limit) : undefined;
    if (next !== undefined) {
      at = next - 1;
      continue;
    }
    if (/\s/.test(character)) break;
    rest += character;
  }
  return rest;
}

/** A word that nothing has ended yet. */
interface Open {
  readonly text: string;
  readonly start: number;
  readonly piece: Break;
}

interface Words {
  readonly before: readonly Written[];
  /** The one that goes on up to the end. */
  readonly open: Open | undefined;
}

/** The words between two offsets of an instruction; a word goes on over a line that is continued without a blank. */
function wordsBetween(file: Dockerfile, from: number, to: number): Words {
  const { text, directives } = file;
  const words: Written[] = [];
  let current = '';
  let start = -1;
  let end = from;
  let piece: Break = { index: 0, offset: from };
  for (let at = from; at < to; at++) {
    const character = text[at] ?? '';
    if (character === directives.escapeCharacter) {
      const next = continuedAt(text, at, to);
      if (next !== undefined) {
        piece = { index: current.length, offset: next };
        at = next - 1;
        continue;
      }
    }
    if (/\s/.test(character)) {
      if (start >= 0) words.push({ text: current, range: { start, end } });
      start = -1;
      current = '';
      continue;
    }
    if (start < 0) {
      start = at;
      piece = { index: 0, offset: at };
    }
    current += character;
    end = at + 1;
  }
  const open = start < 0 ? undefined : { text: current, start, piece };
  return { before: words, open };
}

/** Where the text goes on behind an escape character that ends its line; comments and empty lines are passed over. */
function continuedAt(text: string, escape: number, limit: number): number | undefined {
  let at = escape + 1;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\r') at++;
  if (text[at] !== '\n') return undefined;
  at++;
  while (at < limit) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(at, Math.min(end, at + 1000)).trimStart();
    if (end >= limit || (line !== '' && !line.startsWith('#'))) break;
    at = end + 1;
  }
  return Math.min(at, limit);
}

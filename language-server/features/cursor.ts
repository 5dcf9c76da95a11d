/**
 * Says what is being written at an offset: the instruction, the words before it, the word under it. It goes by the
 * text, since what is being written seldom parses; line continuations and comments between are passed over.
 */
import { flagTable } from '../../src/lib/dockerfile/flags.ts';
import { instructionAt, lastBefore } from '../../src/lib/dockerfile/scope/places.ts';
import type {
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
  /** The whole word under the cursor. */
  readonly word: Range;
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
  const instruction = instructionAt(file, offset);
  if (instruction === undefined) {
    return { kind: 'keyword', range: { start: offset, end: offset }, typed: '', held: false };
  }
  return within(file, instruction, { offset, held: false });
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
  const words = wordsBetween(file, instruction.keyword.range.end, offset);
  const last = words.at(-1);
  const touches = last?.range.end === offset;
  const before = touches ? words.slice(0, -1) : words;
  const typed = touches ? last.text : '';
  const start = touches ? last.range.start : offset;
  const table = flagTable(instruction.kind);
  const hasFlags = Object.keys(table).length > 0;
  const inFlags = hasFlags && before.every(({ text }) => text.startsWith('--') && text !== '--');
  const index = before.filter(({ text }, at) => !isFlag(text, before, at)).length;
  return {
    kind: inFlags && typed.startsWith('-') ? 'flag' : 'argument',
    instruction,
    instructionKind: instruction.kind,
    before,
    typed,
    word: { start, end: wordEnd(file, offset) },
    index,
  };
}

/** Flags stand before everything else. */
function isFlag(text: string, words: readonly Written[], at: number): boolean {
  return text.startsWith('--') && words.slice(0, at).every((word) => word.text.startsWith('--'));
}

/** The end of the word under an offset. */
function wordEnd({ text }: Dockerfile, offset: number): number {
  let end = offset;
  while (end < text.length && !/\s/.test(text[end] ?? ' ')) end++;
  return end;
}

/** The words between two offsets of an instruction; a word goes on over a line that is continued without a blank. */
export function wordsBetween(file: Dockerfile, from: number, to: number): Written[] {
  const { text, directives } = file;
  const words: Written[] = [];
  let current = '';
  let start = -1;
  let end = from;
  const finish = (): void => {
    if (start >= 0) words.push({ text: current, range: { start, end } });
    start = -1;
    current = '';
  };
  for (let at = from; at < to; at++) {
    const character = text[at] ?? '';
    if (character === directives.escapeCharacter) {
      const next = continuedAt(text, at, to);
      if (next !== undefined) {
        at = next - 1;
        continue;
      }
    }
    if (/\s/.test(character)) {
      finish();
      continue;
    }
    if (start < 0) start = at;
    current += character;
    end = at + 1;
  }
  finish();
  return words;
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

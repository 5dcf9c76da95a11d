/** Owns what every instruction has in common: keyword, flags, argument, and the reading of commands. */
import { readJson, type Slice, wordOf } from './arguments.ts';
import { splitFlags } from './flags.ts';
import type { Finding, ProblemList } from './problems.ts';
import type { LineReader, LogicalLine } from './reader.ts';
import type { Command, Flag, InstructionKind, UnknownInstruction, Word } from './syntax.ts';
import { isBlank, skipSpace, trimSpaceEnd } from '../text/characters.ts';

export interface Context {
  readonly reader: LineReader;
  readonly problems: ProblemList;
}

/** One instruction split into keyword, flags and argument. */
export interface Statement {
  readonly kind: InstructionKind | 'UNKNOWN';
  /** The offset where the instruction begins: at its keyword, or at a line continuation before it. */
  readonly start: number;
  readonly keyword: Word;
  readonly flags: readonly Flag[];
  /** The argument's place in the joined line. */
  readonly slice: Slice;
  readonly line: LogicalLine;
  readonly context: Context;
}

/** Every keyword, in the order of the reference. */
export const INSTRUCTION_KINDS: readonly InstructionKind[] = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
];

const BY_TEXT = new Map<string, InstructionKind>(INSTRUCTION_KINDS.map((kind) => [kind, kind]));

/** Splits the instruction that begins at an index of the joined line. */
export function splitStatement(line: LogicalLine, from: number, context: Context): Statement {
  const { source } = line;
  const { text } = source;
  const start = skipSpace(text, from, text.length);
  const end = trimSpaceEnd(text, start, text.length);
  let keywordEnd = start;
  while (keywordEnd < end && !isBlank(text.charCodeAt(keywordEnd))) keywordEnd++;
  const keyword = source.word(start, keywordEnd);
  const { flags, rest } = splitFlags(source, { start: keywordEnd, end }, context.reader.escape);
  const slice = { source, start: Math.min(skipSpace(text, rest, end), end), end };
  const first = from === 0 ? line.start : keyword.range.start;
  return { kind: kindOf(keyword.text), start: first, keyword, flags, slice, line, context };
}

function kindOf(keyword: string): InstructionKind | 'UNKNOWN' {
  const known = BY_TEXT.get(keyword);
  if (known !== undefined) return known;
  return keyword.length > 16 ? 'UNKNOWN' : (BY_TEXT.get(keyword.toUpperCase()) ?? 'UNKNOWN');
}

/** The fields of all instructions. To be called after the heredocs are read: the range ends where the reader is. */
export function baseOf(statement: Statement): Omit<UnknownInstruction, 'kind'> {
  const { start, keyword, flags, slice, line, context } = statement;
  return {
    range: { start, end: Math.max(context.reader.end, keyword.range.end) },
    keyword,
    flags,
    argument: wordOf(slice),
    original: line.source.text.slice(0, slice.end),
    comments: line.comments,
  };
}

/** Reports a problem; its range is the argument's where none is given, the keyword's where there is no argument. */
export function report(
  { slice, keyword, context }: Statement,
  finding: Omit<Finding, 'range'> & Partial<Pick<Finding, 'range'>>,
): void {
  const whole = isEmpty(slice) ? keyword.range : slice.source.range(slice.start, slice.end);
  context.problems.add({ ...finding, range: finding.range ?? whole });
}

export function isEmpty({ start, end }: Slice): boolean {
  return end <= start;
}

/** Reports and gives true when there is no argument. */
export function lacksArgument(statement: Statement, message: string): boolean {
  if (!isEmpty(statement.slice)) return false;
  report(statement, { code: 'MissingArguments', message });
  return true;
}

/** A command in exec form, or in shell form when it is no JSON array of strings; the near misses are reported. */
export function readCommand(statement: Statement, slice: Slice = statement.slice): Command {
  const json = readJson(slice);
  if (json.form === 'strings') return { form: 'exec', words: json.words };
  const command = wordOf(slice);
  if (json.form !== 'none' && !isTest(command.text)) reportJson(statement, json.form);
  return { form: 'shell', command };
}

/** `[ "$a" = b ] && …`: brackets of the shell, with more behind them. */
function isTest(text: string): boolean {
  if (!/^\[{1,2}\s/.test(text)) return false;
  const close = /\s\]{1,2}\s*(?:&&|\|\||;)/.exec(text);
  return close !== null && !/["']\s*,/.test(text.slice(0, close.index));
}

/** Reports what looks like a JSON array of strings and is not one. */
export function reportJson(statement: Statement, form: 'broken' | 'not-strings' | 'none'): void {
  if (form === 'none') return;
  const broken = form === 'broken';
  const message = broken
    ? 'this is no valid JSON array of strings in double quotes, so it is taken as plain text'
    : 'a JSON array here may hold strings only';
  report(statement, { code: 'InvalidJSON', message, severity: broken ? 'warning' : 'error' });
}

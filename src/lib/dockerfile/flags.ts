/** Owns the flags of instructions: the table of those that exist, their splitting off the line and their checks. */
import { isSpace } from '../text/characters.ts';
import { type ProblemList, suggestion } from './problems.ts';
import { decodedWord, type SourceText } from './source.ts';
import type { Escape, Flag, InstructionKind, Word } from './syntax.ts';

export type FlagType = 'boolean' | 'string' | 'strings';

type FlagTable = Readonly<Record<string, FlagType>>;

const NONE: FlagTable = {};
const TRANSFER = { chown: 'string', chmod: 'string', link: 'boolean', exclude: 'strings' } as const;

const TABLE: Readonly<Partial<Record<InstructionKind, FlagTable>>> = {
  FROM: { platform: 'string' },
  RUN: { mount: 'strings', network: 'string', security: 'string', device: 'strings' },
  COPY: { ...TRANSFER, from: 'string', parents: 'boolean' },
  ADD: { ...TRANSFER, checksum: 'string', 'keep-git-dir': 'boolean', unpack: 'boolean' },
  HEALTHCHECK: {
    interval: 'string',
    timeout: 'string',
    'start-period': 'string',
    'start-interval': 'string',
    retries: 'string',
  },
};

/** The flags that an instruction takes, by name without dashes. */
export function flagTable(kind: InstructionKind): FlagTable {
  return TABLE[kind] ?? NONE;
}

export interface SplitFlags {
  readonly flags: readonly Flag[];
  /** Where in the joined line the argument begins. */
  readonly rest: number;
}

const NO_FLAGS: readonly Flag[] = [];

/** Takes the words with two dashes before the argument. A lone `--` ends them. */
export function splitFlags(
  source: SourceText,
  bounds: { start: number; end: number },
  escape: Escape,
): SplitFlags {
  const { text } = source;
  const { end } = bounds;
  let at = bounds.start;
  let flags: Flag[] | undefined;
  for (;;) {
    while (at < end && isSpace(text.charCodeAt(at))) at++;
    if (!text.startsWith('--', at) || at + 1 >= end) return { flags: flags ?? NO_FLAGS, rest: at };
    const taken = takeFlag(source, { start: at, end }, escape);
    at = taken.end;
    if (taken.value === '--') return { flags: flags ?? NO_FLAGS, rest: at };
    flags ??= [];
    flags.push(flagOf(source, taken));
  }
}

interface TakenFlag {
  /** With dashes; quotes and escapes are processed. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** Stands for itself in a flag, whatever the escape character. */
function isPlain(code: number): boolean {
  return !isSpace(code) && code !== 0x22 && code !== 0x27 && code !== 0x5c && code !== 0x60;
}

function takeFlag(
  source: SourceText,
  { start, end }: { start: number; end: number },
  escape: Escape,
): TakenFlag {
  const { text } = source;
  let at = start;
  while (at < end && isPlain(text.charCodeAt(at))) at++;
  if (at >= end || isSpace(text.charCodeAt(at)))
    return { value: text.slice(start, at), start, end: at };
  const parts = [text.slice(start, at)];
  let quote = '';
  for (; at < end; at++) {
    let character = text[at] ?? '';
    if (quote === '' && isSpace(character.charCodeAt(0))) break;
    if (character === quote) {
      quote = '';
      continue;
    }
    if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      continue;
    }
    if (character === escape) {
      if (at + 1 >= end) continue;
      at++;
      character = text[at] ?? '';
    }
    parts.push(character);
  }
  return { value: parts.join(''), start, end: at };
}

function flagOf(source: SourceText, { value, start, end }: TakenFlag): Flag {
  const range = source.range(start, end);
  const equals = value.indexOf('=');
  const name = equals < 0 ? value.slice(2) : value.slice(2, equals);
  const rawEquals = source.text.indexOf('=', start);
  const split = equals < 0 || rawEquals < 0 || rawEquals > end ? end : rawEquals;
  const nameRange = source.range(start, split);
  return {
    name,
    nameRange,
    value: equals < 0 ? undefined : flagValue(source, { value, equals, split, end }),
    range,
  };
}

function flagValue(
  source: SourceText,
  { value, equals, split, end }: { value: string; equals: number; split: number; end: number },
): Word {
  const text = value.slice(equals + 1);
  const from = Math.min(split + 1, end);
  if (source.text.slice(from, end) === text) return source.word(from, end);
  return decodedWord(text, source.range(from, end));
}

/** Reports unknown, repeated and valueless flags, and booleans that are none. */
export function checkFlags(
  kind: InstructionKind,
  flags: readonly Flag[],
  problems: ProblemList,
): void {
  if (flags.length === 0) return;
  const table = flagTable(kind);
  const seen = flags.length > 1 ? new Set<string>() : undefined;
  for (const flag of flags) {
    const type = Object.hasOwn(table, flag.name) ? table[flag.name] : undefined;
    if (type === undefined) {
      const hint = problems.full ? '' : suggestion(flag.name, Object.keys(table));
      const message = `${kind} has no flag --${flag.name}${hint}`;
      problems.add({ code: 'UnknownFlag', message, range: flag.nameRange });
      continue;
    }
    if (seen?.has(flag.name) === true && type !== 'strings') {
      problems.add({
        code: 'DuplicateFlag',
        message: `--${flag.name} is given twice`,
        range: flag.range,
      });
    }
    seen?.add(flag.name);
    checkValue(flag, type, problems);
  }
}

function checkValue(flag: Flag, type: FlagType, problems: ProblemList): void {
  if (type !== 'boolean') {
    if (flag.value !== undefined) return;
    const message = `--${flag.name} needs a value: --${flag.name}=…`;
    problems.add({ code: 'InvalidFlagValue', message, range: flag.range });
    return;
  }
  if (flag.value === undefined || /^(true|false)$/i.test(flag.value.text)) return;
  const message = `--${flag.name} is true or false, not '${flag.value.text}'`;
  problems.add({ code: 'InvalidFlagValue', message, range: flag.range });
}

/** The value of the first flag of that name that has one. */
export function valueOf(flags: readonly Flag[], name: string): Word | undefined {
  return flags.find((flag) => flag.name === name)?.value;
}

/** The values of every flag of that name. */
export function valuesOf(flags: readonly Flag[], name: string): Word[] {
  const values: Word[] = [];
  for (const flag of flags)
    if (flag.name === name && flag.value !== undefined) values.push(flag.value);
  return values;
}

/** A boolean flag: undefined when it is not there. */
export function switchOf(flags: readonly Flag[], name: string): boolean | undefined {
  const flag = flags.find((candidate) => candidate.name === name);
  if (flag === undefined) return undefined;
  return flag.value?.text.toLowerCase() !== 'false';
}

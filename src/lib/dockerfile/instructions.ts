/**
 * Reads one instruction from its joined line: a table with one reader for each keyword.
 * A reader always gives an instruction; what is wrong with it goes to the problems.
 */
import {
  readArguments,
  readJson,
  readPairs,
  type Slice,
  splitBlanks,
  wordOf,
} from './arguments.ts';
import { checkFlags, valueOf, valuesOf } from './flags.ts';
import { readMount } from './mounts.ts';
import { suggestion } from './problems.ts';
import type { LogicalLine } from './reader.ts';
import {
  baseOf,
  type Context,
  INSTRUCTION_KINDS,
  isEmpty,
  lacksArgument,
  readCommand,
  report,
  reportJson,
  splitStatement,
  type Statement,
} from './statement.ts';
import type {
  FromInstruction,
  HealthcheckInstruction,
  Instruction,
  InstructionKind,
  Mount,
  OnbuildInstruction,
  Pair,
  PairInstruction,
  RunInstruction,
  UnknownInstruction,
  ValueInstruction,
  Word,
  WordsInstruction,
} from './syntax.ts';
import { readHeredocs, readTransfer } from './transfer.ts';
import { isSpace, skipSpace, trimSpaceEnd } from '../text/characters.ts';
import { readDuration } from '../text/quantity.ts';

type Reader = (statement: Statement) => Instruction;

const READERS: Readonly<Record<InstructionKind | 'UNKNOWN', Reader>> = {
  ADD: (statement) => readTransfer(statement, 'ADD'),
  ARG: (statement) => readArg(statement),
  CMD: (statement) => readCommandInstruction(statement, 'CMD'),
  COPY: (statement) => readTransfer(statement, 'COPY'),
  ENTRYPOINT: (statement) => readCommandInstruction(statement, 'ENTRYPOINT'),
  ENV: (statement) => readAssignments(statement, 'ENV'),
  EXPOSE: (statement) => readWords(statement, 'EXPOSE'),
  FROM: (statement) => readFrom(statement),
  HEALTHCHECK: (statement) => readHealthcheck(statement),
  LABEL: (statement) => readAssignments(statement, 'LABEL'),
  MAINTAINER: (statement) => readMaintainer(statement),
  ONBUILD: (statement) => readOnbuild(statement),
  RUN: (statement) => readRun(statement),
  SHELL: (statement) => readShell(statement),
  STOPSIGNAL: (statement) => readValue(statement, 'STOPSIGNAL'),
  UNKNOWN: (statement) => readUnknown(statement),
  USER: (statement) => readValue(statement, 'USER'),
  VOLUME: (statement) => readWords(statement, 'VOLUME'),
  WORKDIR: (statement) => readValue(statement, 'WORKDIR'),
};

/** Reads the instruction of a joined line; the bodies of its heredocs are taken from the reader. */
export function readInstruction(line: LogicalLine, context: Context): Instruction {
  const statement = splitStatement(line, 0, context);
  return READERS[statement.kind](statement);
}

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

function readFrom(statement: Statement): FromInstruction {
  const { flags, slice, context, keyword } = statement;
  checkFlags('FROM', flags, context.problems);
  const [image, as, name, ...more] = splitBlanks(slice);
  const platform = valueOf(flags, 'platform');
  if (image === undefined)
    report(statement, { code: 'MissingArguments', message: 'FROM needs an image' });
  const named = name !== undefined && as?.text.toLowerCase() === 'as' && more.length === 0;
  if (as !== undefined && !named) {
    const end = { start: as.range.start, end: (more.at(-1) ?? name ?? as).range.end };
    const message = 'FROM takes an image, or an image AS a name';
    report(statement, { code: 'SyntaxError', message, range: end });
  }
  if (named) checkStageName(statement, as, name);
  const missing = {
    text: '',
    range: { start: keyword.range.end, end: keyword.range.end },
    breaks: [],
  };
  return {
    ...baseOf(statement),
    kind: 'FROM',
    image: image ?? missing,
    platform,
    name: named ? name : undefined,
  };
}

function checkStageName(statement: Statement, as: Word, name: Word): void {
  const { range } = name;
  const lower = name.text.toLowerCase();
  if (!STAGE_NAME.test(lower)) {
    const message = `invalid stage name '${name.text}': it begins with a letter and holds letters, digits, '-', '_', '.'`;
    report(statement, { code: 'InvalidStageName', message, range });
  } else if (lower !== name.text) {
    const message = `stage name '${name.text}' should be in lower case`;
    report(statement, { code: 'StageNameCasing', message, range, severity: 'warning' });
  }
  if (lower === 'scratch' || lower === 'context') {
    const message = `'${name.text}' is reserved and should not be a stage's name`;
    report(statement, { code: 'ReservedStageName', message, range, severity: 'warning' });
  }
  const from = statement.keyword.text;
  const wanted = from === from.toUpperCase() ? 'AS' : from === from.toLowerCase() ? 'as' : as.text;
  if (as.text === wanted) return;
  const message = `'${as.text}' and '${from}' should have the same casing`;
  report(statement, { code: 'FromAsCasing', message, range: as.range, severity: 'warning' });
}

const NETWORKS = ['default', 'none', 'host'] as const;
const SECURITIES = ['sandbox', 'insecure'] as const;

function readRun(statement: Statement): RunInstruction {
  const { flags, context } = statement;
  checkFlags('RUN', flags, context.problems);
  lacksArgument(statement, 'RUN needs a command');
  const command = readCommand(statement);
  const heredocs = command.form === 'exec' ? [] : readHeredocs(statement);
  const mounts = valuesOf(flags, 'mount').map((value): Mount => {
    const { mount, findings } = readMount(value);
    for (const finding of findings) context.problems.add(finding);
    return mount;
  });
  const network = choice(statement, 'network', NETWORKS);
  const security = choice(statement, 'security', SECURITIES);
  const devices = valuesOf(flags, 'device');
  return {
    ...baseOf(statement),
    kind: 'RUN',
    command,
    heredocs,
    mounts,
    network,
    security,
    devices,
  };
}

/** The flag's value when it is one of those allowed, else the first of them. */
function choice<T extends string>(
  statement: Statement,
  name: string,
  allowed: readonly [T, ...T[]],
): T {
  const word = valueOf(statement.flags, name);
  if (word === undefined) return allowed[0];
  const found = allowed.find((candidate) => candidate === word.text);
  if (found !== undefined) return found;
  const message = `--${name} is one of ${allowed.join(', ')}, not '${word.text}'`;
  report(statement, { code: 'InvalidFlagValue', message, range: word.range });
  return allowed[0];
}

function readCommandInstruction(statement: Statement, kind: 'CMD' | 'ENTRYPOINT'): Instruction {
  checkFlags(kind, statement.flags, statement.context.problems);
  return { ...baseOf(statement), kind, command: readCommand(statement) };
}

function readShell(statement: Statement): Instruction {
  checkFlags('SHELL', statement.flags, statement.context.problems);
  const base = baseOf(statement);
  const empty = lacksArgument(statement, 'SHELL needs a JSON array: SHELL ["/bin/sh", "-c"]');
  const json = readJson(statement.slice);
  if (json.form === 'strings' && json.words.length > 0)
    return { ...base, kind: 'SHELL', words: json.words };
  if (json.form === 'strings') {
    report(statement, {
      code: 'MissingArguments',
      message: 'SHELL needs at least one string in its array',
    });
  } else if (!empty) {
    const message = 'SHELL takes a JSON array of strings in double quotes: SHELL ["/bin/sh", "-c"]';
    report(statement, { code: 'InvalidJSON', message });
  }
  return { ...base, kind: 'SHELL', words: [] };
}

function readHealthcheck(statement: Statement): HealthcheckInstruction {
  const { slice, flags, context } = statement;
  const { source, start, end } = slice;
  lacksArgument(statement, 'HEALTHCHECK needs CMD and a command, or NONE');
  let typeEnd = start;
  while (typeEnd < end && !isSpace(source.text.charCodeAt(typeEnd))) typeEnd++;
  const type = source.text.slice(start, typeEnd).toUpperCase();
  const rest = { source, start: skipSpace(source.text, typeEnd, end), end };
  const none = type === 'NONE';
  if (none && !isEmpty(rest)) {
    report(statement, { code: 'TooManyArguments', message: 'HEALTHCHECK NONE takes no arguments' });
  }
  if (!none && type !== 'CMD' && type !== '') {
    const message = `HEALTHCHECK takes CMD or NONE, not '${type}'`;
    report(statement, { code: 'SyntaxError', message, range: source.range(start, typeEnd) });
  }
  if (!none) checkFlags('HEALTHCHECK', flags, context.problems);
  const command = none ? undefined : readCommand(statement, rest);
  const blank = isEmpty(rest) || (command?.form === 'exec' && command.words.length === 0);
  if (type === 'CMD' && blank) {
    report(statement, { code: 'MissingArguments', message: 'HEALTHCHECK CMD needs a command' });
  }
  return {
    ...baseOf(statement),
    kind: 'HEALTHCHECK',
    command,
    interval: duration(statement, 'interval'),
    timeout: duration(statement, 'timeout'),
    startPeriod: duration(statement, 'start-period'),
    startInterval: duration(statement, 'start-interval'),
    retries: retries(statement),
  };
}

const MILLISECOND = 1_000_000;

function duration(statement: Statement, name: string): number | undefined {
  const word = valueOf(statement.flags, name);
  if (word === undefined || word.text === '') return undefined;
  const value = readDuration(word.text);
  if (value === undefined || (value !== 0 && value < MILLISECOND)) {
    const rule = value === undefined ? 'a duration such as 30s or 1m30s' : 'at least 1ms';
    const message = `--${name} must be ${rule}, not '${word.text}'`;
    report(statement, { code: 'InvalidDuration', message, range: word.range });
    return undefined;
  }
  return value;
}

function retries(statement: Statement): number | undefined {
  const word = valueOf(statement.flags, 'retries');
  if (word === undefined || word.text === '') return undefined;
  const value = /^\+?\d{1,10}$/.test(word.text) ? Number(word.text) : Number.NaN;
  if (value < 2 ** 31) return value;
  const message = `--retries must be a whole number from 0, not '${word.text}'`;
  report(statement, { code: 'InvalidFlagValue', message, range: word.range });
  return undefined;
}

function readAssignments(statement: Statement, kind: 'ENV' | 'LABEL'): PairInstruction {
  const { slice, flags, context, keyword } = statement;
  checkFlags(kind, flags, context.problems);
  lacksArgument(statement, `${kind} needs at least one name=value`);
  const { pairs, wrong, valueMissing } = readPairs(slice, context.reader.escape);
  for (const word of wrong) {
    const message = `'${word.text}' has no equals sign: ${kind} takes name=value`;
    report(statement, { code: 'SyntaxError', message, range: word.range });
  }
  const [first] = pairs;
  if (valueMissing) {
    report(statement, { code: 'MissingArguments', message: `${kind} needs a name and a value` });
  } else if (first?.legacy === true) {
    const message = `'${keyword.text} name=value' should be used in place of '${keyword.text} name value'`;
    report(statement, { code: 'LegacyKeyValueFormat', message, severity: 'warning' });
  }
  checkNames(statement, pairs);
  return { ...baseOf(statement), kind, pairs };
}

function readArg(statement: Statement): PairInstruction {
  const { slice, flags, context } = statement;
  // The frontend reads no flags of ARG, but takes them away.
  for (const flag of flags) {
    const message = `ARG takes no flags: --${flag.name} has no effect`;
    report(statement, { code: 'UnknownFlag', message, range: flag.range, severity: 'warning' });
  }
  lacksArgument(statement, 'ARG needs at least one name');
  const pairs = readArguments(slice, context.reader.escape);
  checkNames(statement, pairs);
  return { ...baseOf(statement), kind: 'ARG', pairs };
}

function checkNames(statement: Statement, pairs: readonly Pair[]): void {
  for (const pair of pairs) {
    if (pair.name.text !== '') continue;
    const message = `${statement.kind} needs a name before the equals sign`;
    report(statement, { code: 'SyntaxError', message, range: pair.range });
  }
}

function readWords(statement: Statement, kind: 'EXPOSE' | 'VOLUME'): WordsInstruction {
  checkFlags(kind, statement.flags, statement.context.problems);
  const wanted = kind === 'EXPOSE' ? 'port' : 'path';
  lacksArgument(statement, `${kind} needs at least one ${wanted}`);
  const json = kind === 'VOLUME' ? readJson(statement.slice) : ({ form: 'none' } as const);
  if (json.form !== 'strings') reportJson(statement, json.form);
  const words = json.form === 'strings' ? json.words : splitBlanks(statement.slice);
  if (json.form === 'strings' && words.length === 0) {
    report(statement, {
      code: 'MissingArguments',
      message: `${kind} needs at least one ${wanted}`,
    });
  }
  for (const { text, range } of json.form === 'strings' ? words : []) {
    if (trimSpaceEnd(text, 0, text.length) > 0) continue;
    report(statement, {
      code: 'SyntaxError',
      message: 'a VOLUME must not be an empty string',
      range,
    });
  }
  return { ...baseOf(statement), kind, words };
}

function readValue(statement: Statement, kind: ValueInstruction['kind']): ValueInstruction {
  if (kind !== 'STOPSIGNAL') checkFlags(kind, statement.flags, statement.context.problems);
  lacksArgument(statement, `${kind} needs exactly one argument`);
  return { ...baseOf(statement), kind, value: wordOf(statement.slice) };
}

function readMaintainer(statement: Statement): ValueInstruction {
  const { range } = statement.keyword;
  const message = 'MAINTAINER is deprecated: use LABEL org.opencontainers.image.authors=…';
  report(statement, { code: 'MaintainerDeprecated', message, range, severity: 'warning' });
  return readValue(statement, 'MAINTAINER');
}

function readOnbuild(statement: Statement): OnbuildInstruction {
  const { slice, line, context, flags } = statement;
  checkFlags('ONBUILD', flags, context.problems);
  const instruction = lacksArgument(statement, 'ONBUILD needs an instruction')
    ? undefined
    : readTrigger(statement, slice, line);
  const { text } = line.source;
  const bodies = instruction !== undefined && 'heredocs' in instruction ? instruction.heredocs : [];
  const parts = bodies.map(({ content, name }) => `\n${content}${name}`);
  const trigger = text.slice(slice.start, slice.end) + parts.join('');
  return { ...baseOf(statement), kind: 'ONBUILD', instruction, trigger };
}

function readTrigger(
  statement: Statement,
  slice: Slice,
  line: LogicalLine,
): Instruction | undefined {
  const inner = splitStatement(line, slice.start, statement.context);
  if (inner.kind === 'ONBUILD' || inner.kind === 'FROM' || inner.kind === 'MAINTAINER') {
    const message = `${inner.kind} is not allowed within ONBUILD`;
    report(statement, { code: 'OnbuildDisallowed', message, range: inner.keyword.range });
    return undefined;
  }
  return READERS[inner.kind](inner);
}

function readUnknown(statement: Statement): UnknownInstruction {
  const { text, range } = statement.keyword;
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  const hint = statement.context.problems.full ? '' : suggestion(text, INSTRUCTION_KINDS);
  const message =
    text === ''
      ? 'a line continuation without an instruction'
      : `unknown instruction: ${shown}${hint}`;
  report(statement, { code: 'UnknownInstruction', message, range });
  return { ...baseOf(statement), kind: 'UNKNOWN' };
}

/**
 * Cuts an instruction into atoms: pieces that the formatter never changes inside. Only what lies between two atoms may
 * be changed, so what has white space with a meaning is one atom.
 */
import { type Slice, splitBlanks, splitQuoted, stringEnd } from '../arguments.ts';
import { flagTable } from '../flags.ts';
import { placesOf, scriptOf, type ScriptUse, sourceOf } from '../shell/scripts.ts';
import type { ShellInForce } from '../shell/shells.ts';
import type { Dockerfile, Flag, Heredoc, Instruction, Range, Word } from '../syntax.ts';
import { skipSpace } from '../../text/characters.ts';
import type { FormatOptions } from './options.ts';
import { shellAtoms } from './shell.ts';

export interface Atom {
  readonly range: Range;
  /** Another piece of the file to be written in place of it. */
  readonly from?: Range;
  /** Written in place of it; undefined: as it is. */
  readonly text?: string;
  /** The space before it on one line: one, none, or one where there is any. */
  readonly space: 'one' | 'none' | 'any';
  /** Levels of indentation where it begins a line. */
  readonly level: number;
  /** With `ownLine` it begins a line, whether it did or not. */
  readonly ownLine?: boolean;
}

/** Readings of a file's shell texts by instruction, each made when it is asked for. */
export class Scripts {
  private readonly text: string;
  private readonly shells = new Map<Instruction, ShellInForce>();

  constructor(file: Dockerfile) {
    this.text = file.text;
    for (const { instruction, shell } of placesOf(file)) {
      const inner = instruction.kind === 'ONBUILD' ? instruction.instruction : instruction;
      if (inner !== undefined) this.shells.set(inner, shell);
    }
  }

  /** The shell in force at an instruction of a stage, that of ONBUILD's inner one too. */
  shellAt(instruction: Instruction): ShellInForce | undefined {
    return this.shells.get(instruction);
  }

  get(instruction: Instruction): Omit<ScriptUse, 'stage'> | undefined {
    const shell = this.shells.get(instruction);
    return shell === undefined ? undefined : scriptOf(instruction, this.text, shell);
  }
}

export interface AtomContext {
  readonly file: Dockerfile;
  readonly scripts: Scripts;
  readonly options: FormatOptions;
}

/** The atoms of an instruction's line, in order, its keyword first; heredoc bodies have none. */
export function atomsOf(instruction: Instruction, context: AtomContext): Atom[] {
  const { keyword } = instruction;
  const cased = keywordText(keyword.text, instruction, context.options);
  const head: Atom = { range: keyword.range, text: cased, space: 'one', level: 1 };
  const rest = instruction.argument.text === '' ? [] : argumentAtoms(instruction, context);
  return [head, ...flagAtoms(instruction, context), ...rest];
}

function keywordText(text: string, { kind }: Instruction, { keywordCase }: FormatOptions): string {
  if (kind === 'UNKNOWN' || keywordCase === 'keep') return text;
  return keywordCase === 'upper' ? text.toUpperCase() : text.toLowerCase();
}

function flagAtoms(instruction: Instruction, { file, options }: AtomContext): Atom[] {
  const { flags } = instruction;
  const atoms = flags.map(({ range }): Atom => ({ range, space: 'one', level: 1 }));
  if (options.flags === 'keep' || instruction.kind === 'UNKNOWN' || flags.length < 2) return atoms;
  // A quote that is never closed takes all behind it in.
  const quoted = flags.some(({ range }) => /["'\\`]/.test(file.text.slice(range.start, range.end)));
  if (quoted) return atoms;
  const known = Object.keys(flagTable(instruction.kind));
  const place = ({ name }: Flag): number =>
    known.includes(name) ? known.indexOf(name) : known.length;
  const sorted = [...flags].sort((a, b) => place(a) - place(b));
  return atoms.map((atom, index) => ({ ...atom, from: sorted[index]?.range ?? atom.range }));
}

function argumentAtoms(instruction: Instruction, context: AtomContext): readonly Atom[] {
  const { argument } = instruction;
  const whole = [plain(argument)];
  switch (instruction.kind) {
    case 'FROM':
      return fromAtoms(instruction, context.options);
    case 'RUN':
    case 'CMD':
    case 'ENTRYPOINT':
      return commandAtoms(instruction, argument, context);
    case 'HEALTHCHECK':
      return instruction.command === undefined ? whole : healthcheckAtoms(instruction, context);
    case 'ENV':
    case 'LABEL':
    case 'ARG':
      if (instruction.pairs.some(({ legacy }) => legacy))
        return legacyAtoms(argument, instruction.pairs[0]);
      return splitQuoted(sliceOf(argument), context.file.directives.escapeCharacter).map(plain);
    case 'COPY':
    case 'ADD':
    case 'VOLUME':
    case 'EXPOSE':
      return wordAtoms(instruction, whole);
    case 'SHELL':
      return jsonAtoms(argument) ?? whole;
    case 'ONBUILD':
      return instruction.instruction === undefined
        ? whole
        : atomsOf(instruction.instruction, context);
    default:
      return whole;
  }
}

function plain({ range }: Word): Atom {
  return { range, space: 'one', level: 1 };
}

function sliceOf(word: Word): Slice {
  return { source: sourceOf(word), start: 0, end: word.text.length };
}

function fromAtoms(
  instruction: Extract<Instruction, { kind: 'FROM' }>,
  { keywordCase }: FormatOptions,
): Atom[] {
  const words = splitBlanks(sliceOf(instruction.argument));
  return words.map((word, index) => {
    const as = index === 1 && instruction.name !== undefined;
    if (!as || keywordCase === 'keep') return plain(word);
    return { ...plain(word), text: keywordCase === 'upper' ? 'AS' : 'as' };
  });
}

/** `name value`: the white space within the value counts; over several lines it stays as it is. */
function legacyAtoms(
  argument: Word,
  pair: { readonly name: Word; readonly value: Word | undefined } | undefined,
): Atom[] {
  if (pair?.value === undefined || argument.breaks.length > 0) return [plain(argument)];
  return [plain(pair.name), plain(pair.value)];
}

function wordAtoms(instruction: Instruction, whole: readonly Atom[]): readonly Atom[] {
  const { argument } = instruction;
  const json = instruction.kind === 'EXPOSE' ? undefined : jsonAtoms(argument);
  if (json !== undefined) return json;
  // An array with a mistake in it might become a valid one.
  if (argument.text.startsWith('[')) return whole;
  const heredocs: readonly Heredoc[] = 'heredocs' in instruction ? instruction.heredocs : [];
  // A delimiter may hold blanks: then words cannot be told by blanks.
  const words = splitBlanks(sliceOf(argument));
  const known = new Set(words.map(({ range }) => `${String(range.start)}-${String(range.end)}`));
  const fits = heredocs.every(({ range }) =>
    known.has(`${String(range.start)}-${String(range.end)}`),
  );
  return fits ? words.map(plain) : whole;
}

function commandAtoms(
  instruction: Instruction,
  argument: Word,
  context: AtomContext,
): readonly Atom[] {
  const json = jsonAtoms(argument);
  if (json !== undefined) return json;
  const use = context.scripts.get(instruction);
  const script = use?.form === 'line' ? use.script : undefined;
  if (script === undefined || script.problems.length > 0) return [plain(argument)];
  return shellAtoms(script, {
    argument,
    file: context.file,
    instruction,
    options: context.options,
  });
}

function healthcheckAtoms(
  instruction: Extract<Instruction, { kind: 'HEALTHCHECK' }>,
  context: AtomContext,
): readonly Atom[] {
  const { argument, command } = instruction;
  const { source, end } = sliceOf(argument);
  let typeEnd = 0;
  while (typeEnd < end && skipSpace(source.text, typeEnd, typeEnd + 1) === typeEnd) typeEnd++;
  const type = source.word(0, typeEnd);
  const { keywordCase } = context.options;
  const text =
    keywordCase === 'keep' || command === undefined
      ? type.text
      : keywordCase === 'upper'
        ? type.text.toUpperCase()
        : type.text.toLowerCase();
  const head: Atom = { ...plain(type), text };
  const from = skipSpace(source.text, typeEnd, end);
  if (from >= end) return [head];
  const rest = source.word(from, end);
  return [
    head,
    ...(command === undefined ? [plain(rest)] : commandAtoms(instruction, rest, context)),
  ];
}

/** The strings and marks of a JSON array of strings; undefined when the argument is none. */
export function jsonAtoms(argument: Word): Atom[] | undefined {
  const { text } = argument;
  if (!text.startsWith('[') || !isStrings(text)) return undefined;
  const source = sourceOf(argument);
  const atoms: Atom[] = [];
  let before = '';
  for (let at = skipJson(text, 0); at < text.length; at = skipJson(text, at)) {
    const mark = text[at] ?? '';
    const end = mark === '"' ? stringEnd(text, at) : at + 1;
    const tight = mark === ']' || mark === ',' || before === '[';
    atoms.push({
      range: source.range(at, end),
      space: tight && before !== '' ? 'none' : 'one',
      level: mark === ']' ? 0 : 1,
    });
    before = mark;
    at = end;
  }
  return atoms;
}

function isStrings(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === 'string');
  } catch {
    return false; // No JSON: the frontend takes it as plain text too.
  }
}

function skipJson(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? '.')) at++;
  return at;
}

/** Turns a shell form into an exec form and back, where both run the same program with the same arguments. */
import { insertLine, replace } from '../lint/edits.ts';
import { readShellText } from '../shell/read.ts';
import { scriptsOf } from '../shell/scripts.ts';
import type { ShellInForce } from '../shell/shells.ts';
import type { ShellWord } from '../shell/syntax.ts';
import { parseDockerfile } from '../parse.ts';
import type {
  Command,
  CommandInstruction,
  HealthcheckInstruction,
  Instruction,
  Range,
  RunInstruction,
} from '../syntax.ts';
import { andParts } from './lists.ts';
import { isHeld, isShellCertain, onlyInstruction, outerOf, scriptFor, stageOf } from './place.ts';
import type { RefactorRequest, Refactoring } from './refactoring.ts';

type Runs =
  RunInstruction | CommandInstruction | (HealthcheckInstruction & { readonly command: Command });

/** What a shell does itself, and may do in another way than a program of that name. */
const BUILT_IN = new Set(
  (
    '. : [ alias bg bind break builtin case cd command compgen complete continue declare dirs disown do done ' +
    'echo elif else enable esac eval exec exit export false fc fg fi for function getopts hash help history if ' +
    'in jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return select set shift ' +
    'shopt source suspend test then time times trap true type typeset ulimit umask unalias unset until wait while'
  ).split(' '),
);

export function toExecForm(request: RefactorRequest): readonly Refactoring[] {
  const instruction = commandOf(request);
  if (instruction?.command.form !== 'shell' || !isFree(request, instruction)) return [];
  const use = scriptFor(request, instruction);
  if (use === undefined || use.form !== 'line' || !isOrdinary(use.shell)) return [];
  const words = wordsOf(use.script);
  if (words === undefined) return [];
  const text = `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
  const { range } = instruction.command.command;
  const inside = request.file.comments.filter(
    (comment) => comment.range.start > range.start && comment.range.end < range.end,
  );
  const outer = outerOf(request.file, instruction);
  const comments = inside.map((comment) => insertLine(request.file, outer, comment.text));
  const edits = [...comments, replace(range, text)];
  return [{ title: `Change ${instruction.kind} to the exec form`, kind: 'rewrite', edits }];
}

export function toShellForm(request: RefactorRequest): readonly Refactoring[] {
  const instruction = commandOf(request);
  if (instruction?.command.form !== 'exec' || !isFree(request, instruction)) return [];
  const words = instruction.command.words.map(({ text }) => text);
  const shell = shellAt(request, instruction);
  if (shell === undefined || !isOrdinary(shell)) return [];
  const line = lineOf(words, shell, instruction.kind);
  const range = listRange(instruction);
  if (line === undefined || range === undefined || !readsAs(request, line)) return [];
  const edits = [replace(range, line)];
  return [{ title: `Change ${instruction.kind} to the shell form`, kind: 'rewrite', edits }];
}

/** Where the list stands; behind the word CMD for a health check. */
function listRange({ kind, argument }: Runs): Range | undefined {
  if (kind !== 'HEALTHCHECK') return argument.range;
  const head = /^CMD\s+/i.exec(argument.text)?.[0].length;
  if (head === undefined || argument.breaks.length > 0) return undefined;
  return { start: argument.range.start + head, end: argument.range.end };
}

function commandOf(request: RefactorRequest): Runs | undefined {
  const instruction = onlyInstruction(request);
  return instruction !== undefined && isRuns(instruction) ? instruction : undefined;
}

function isRuns(instruction: Instruction): instruction is Runs {
  const { kind } = instruction;
  if (kind === 'RUN') return instruction.heredocs.length === 0;
  if (kind === 'HEALTHCHECK') return instruction.command !== undefined;
  return kind === 'CMD' || kind === 'ENTRYPOINT';
}

/**
 * CMD is handed to ENTRYPOINT, in another way by each form: together they are not changed one by one, and what ONBUILD
 * holds meets one that nobody knows yet.
 */
function isFree({ file }: RefactorRequest, instruction: Runs): boolean {
  if (instruction.kind === 'RUN' || instruction.kind === 'HEALTHCHECK') return true;
  if (isHeld(file, instruction)) return false;
  const other = instruction.kind === 'CMD' ? 'ENTRYPOINT' : 'CMD';
  return stageOf(file, instruction)?.instructions.every(({ kind }) => kind !== other) ?? false;
}

/** sh or bash with options that do not matter to a single command. */
function isOrdinary({ dialect, words }: ShellInForce): boolean {
  const options = words.slice(1);
  return (
    (dialect === 'sh' || dialect === 'bash') &&
    options.every((word) => /^(?:-[euxo]*c?|pipefail|errexit|nounset)$/.test(word))
  );
}

/** The words of one simple command that needs no shell; undefined for all others. */
function wordsOf(script: Parameters<typeof andParts>[0]): string[] | undefined {
  const [only, ...more] = andParts(script) ?? [];
  if (only?.kind !== 'simple' || more.length > 0) return undefined;
  const { name, assignments, redirects } = only;
  if (name === undefined || assignments.length > 0 || redirects.length > 0) return undefined;
  if (script.marks.length > 0) return undefined;
  const all = [name, ...only.arguments];
  // `exec` is what the exec form is.
  const words = name.text === 'exec' && all.length > 1 ? all.slice(1) : all;
  const [first] = words;
  if (first?.value === undefined || BUILT_IN.has(first.value)) return undefined;
  if (words === all || !first.value.startsWith('-')) return literals(words);
  return undefined;
}

function literals(words: readonly ShellWord[]): string[] | undefined {
  const values: string[] = [];
  for (const { value, text } of words) {
    if (value === undefined || text.startsWith('~') || /[=:]~/.test(text)) return undefined;
    if (hasAnsi(text)) return undefined;
    values.push(value);
  }
  return values;
}

/** `$'…'` is read as it is written: its escapes are bash's own. */
function hasAnsi(text: string): boolean {
  return text.includes("$'") || text.includes('$"');
}

/** The shell in force: that of the nearest shell text, else what a RUN put there would get. */
function shellAt(request: RefactorRequest, instruction: Instruction): ShellInForce | undefined {
  const { file } = request;
  if (!isShellCertain(file, instruction)) return undefined;
  const before = file.text.slice(0, outerOf(file, instruction).range.start);
  const probe = parseDockerfile(`${before}RUN x\n`);
  const run = probe.instructions.at(-1);
  return scriptsOf(probe).find((use) => use.instruction === run)?.shell;
}

function lineOf(words: readonly string[], shell: ShellInForce, kind: string): string | undefined {
  const [program, ...rest] = words;
  if (program === undefined || words.some((word) => /[\0-\x1f\x7f]/.test(word))) return undefined;
  const script = words.at(-1);
  const same =
    shell.words.length === words.length - 1 && shell.words.every((word, at) => word === words[at]);
  if (same && script !== undefined && script.trim() === script && script !== '') return script;
  if (BUILT_IN.has(program) || program.includes('=')) return undefined;
  const line = [program, ...rest].map(quote).join(' ');
  // The program and not a shell is to get the signals.
  return kind === 'RUN' || kind === 'HEALTHCHECK' ? line : `exec ${line}`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The line is one for the builder and the shell alike: no heredoc, no array, no continuation in it. */
function readsAs({ file }: RefactorRequest, line: string): boolean {
  const { escapeCharacter } = file.directives;
  const probe = parseDockerfile(`# escape=${escapeCharacter}\nFROM a\nRUN ${line}\n`);
  const run = probe.instructions[1];
  if (probe.instructions.length !== 2 || run?.kind !== 'RUN' || run.heredocs.length > 0)
    return false;
  if (run.command.form !== 'shell' || run.flags.length > 0) return false;
  return run.command.command.text === line && readShellText(line).problems.length === 0;
}

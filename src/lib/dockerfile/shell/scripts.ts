/**
 * Finds the shell texts of a Dockerfile and reads them: shell forms of RUN, CMD, ENTRYPOINT and HEALTHCHECK (in ONBUILD
 * too) and heredocs. The shell in force is followed through SHELL and the stages; exec forms are left alone.
 */
import { SourceText } from '../source.ts';
import type { Break, Command, Dockerfile, Heredoc, Instruction, Stage, Word } from '../syntax.ts';
import { baseShells } from './platform.ts';
import { readShell } from './read.ts';
import { isReadable, shebangOf, shellFrom, type ShellInForce } from './shells.ts';
import type { ShellScript } from './syntax.ts';

/** A shell text and its reading. */
export interface ScriptUse {
  /** The instruction of the file; with ONBUILD the one behind it. */
  readonly instruction: Instruction;
  readonly stage: Stage | undefined;
  readonly shell: ShellInForce;
  /** `line`: the shell form. `heredoc`: the body of `RUN <<EOF` is the script. */
  readonly form: 'line' | 'heredoc';
  /** The text that the shell is given, with the places of its characters in the file. */
  readonly source: SourceText;
  /** undefined: in a language that is not read (PowerShell, cmd, another interpreter). */
  readonly script: ShellScript | undefined;
}

/** All shell texts in the order of the file. */
export function scriptsOf(file: Dockerfile): readonly ScriptUse[] {
  const found: ScriptUse[] = [];
  for (const { instruction, stage, shell } of placesOf(file)) {
    const inner = instruction.kind === 'ONBUILD' ? instruction.instruction : instruction;
    const use = inner === undefined ? undefined : scriptOf(inner, file.text, shell);
    if (use !== undefined) found.push({ ...use, stage });
  }
  return found;
}

/** The instructions of all stages but SHELL, each with the shell in force. */
export function* placesOf(
  file: Dockerfile,
): Generator<{ instruction: Instruction; stage: Stage; shell: ShellInForce }> {
  const shells = shellsAtEnd(file);
  for (const stage of file.stages) {
    let shell = shells.start(stage);
    for (const instruction of stage.instructions) {
      if (instruction.kind === 'SHELL' && instruction.words.length > 0)
        shell = shellFrom(instruction.words.map(({ text }) => text));
      else yield { instruction, stage, shell };
    }
    shells.end(stage, shell);
  }
}

/** The shell with which each stage begins: that with which its base stage ends. */
function shellsAtEnd(file: Dockerfile): {
  start: (stage: Stage) => ShellInForce;
  end: (stage: Stage, shell: ShellInForce) => void;
} {
  const byName = new Map<string, ShellInForce>();
  const bases = baseShells(file);
  return {
    start: (stage) => byName.get(stage.from.image.text.toLowerCase()) ?? bases(stage),
    end: ({ name }, shell) => {
      if (name !== undefined) byName.set(name, shell);
    },
  };
}

/** The reading of one instruction's shell text; undefined when it has none. `text` is the whole file. */
export function scriptOf(
  instruction: Instruction,
  text: string,
  shell: ShellInForce,
): Omit<ScriptUse, 'stage'> | undefined {
  if (instruction.kind === 'RUN') {
    const { command, heredocs } = instruction;
    if (command.form === 'exec') return undefined;
    const [only] = heredocs;
    const whole = only !== undefined && heredocs.length === 1 && isWhole(command.command, only);
    if (whole) return heredocScript(instruction, only, { text, shell });
    const source = lineSource(command.command, heredocs, { text, end: instruction.range.end });
    return use(instruction, 'line', shell, source);
  }
  const command = commandOf(instruction);
  if (command?.form !== 'shell' || command.command.text === '') return undefined;
  return use(instruction, 'line', shell, sourceOf(command.command));
}

function commandOf(instruction: Instruction): Command | undefined {
  const { kind } = instruction;
  if (kind === 'CMD' || kind === 'ENTRYPOINT' || kind === 'HEALTHCHECK') return instruction.command;
  return undefined;
}

function use(
  instruction: Instruction,
  form: ScriptUse['form'],
  shell: ShellInForce,
  source: SourceText,
): Omit<ScriptUse, 'stage'> {
  const script = isReadable(shell.dialect) ? readShell(source, shell.dialect) : undefined;
  return { instruction, shell, form, source, script };
}

/** `RUN <<EOF` and nothing else: the body is the script. */
function isWhole(command: Word, heredoc: Heredoc): boolean {
  return command.range.start === heredoc.range.start && command.range.end === heredoc.range.end;
}

function heredocScript(
  instruction: Instruction,
  heredoc: Heredoc,
  { text, shell }: { text: string; shell: ShellInForce },
): Omit<ScriptUse, 'stage'> {
  const { contentRange, chomp } = heredoc;
  const body = text.slice(contentRange.start, contentRange.end);
  const interpreter = shebangOf(heredoc.content) ?? shell;
  const source = chomp
    ? withoutTabs(body, contentRange.start)
    : new SourceText(body, [{ index: 0, offset: contentRange.start }]);
  return use(instruction, 'heredoc', interpreter, source);
}

/** A heredoc's body with the tabs at the start of its lines taken off. */
function withoutTabs(body: string, offset: number): SourceText {
  const pieces: string[] = [];
  const breaks: Break[] = [];
  let length = 0;
  let at = 0;
  while (at < body.length) {
    while (body.charCodeAt(at) === 9) at++;
    const newline = body.indexOf('\n', at);
    const end = newline < 0 ? body.length : newline + 1;
    if (end > at) breaks.push({ index: length, offset: offset + at });
    pieces.push(body.slice(at, end));
    length += end - at;
    at = end;
  }
  if (breaks.length === 0) breaks.push({ index: 0, offset });
  return new SourceText(pieces.join(''), breaks);
}

/** A word of the file as a source. */
export function sourceOf({ text, range, breaks }: Word): SourceText {
  return new SourceText(text, breaks.length > 0 ? breaks : [{ index: 0, offset: range.start }]);
}

/** A command line with the heredoc bodies below it, as the shell is given it. */
function lineSource(
  command: Word,
  heredocs: readonly Heredoc[],
  { text, end }: { text: string; end: number },
): SourceText {
  const line = sourceOf(command);
  const [first] = heredocs;
  if (first === undefined) return line;
  const body = text.slice(first.contentRange.start, Math.max(end, first.contentRange.start));
  const index = line.text.length + 1;
  const breaks = [
    ...line.breaks,
    { index: index - 1, offset: command.range.end },
    { index, offset: first.contentRange.start },
  ];
  return new SourceText(`${line.text}\n${body}`, breaks);
}

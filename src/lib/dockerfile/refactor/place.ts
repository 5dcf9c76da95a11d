/** Finds what refactorings work on: the instructions of a selection, their stage, their scripts. */
import { lineBreak } from '../lint/edits.ts';
import type { ScriptUse } from '../shell/scripts.ts';
import type { Dockerfile, Instruction, Range, RunInstruction, Stage } from '../syntax.ts';
import type { RefactorRequest } from './refactoring.ts';

/** The top-level instructions that a selection touches; one that ends where a line begins does not touch that line. */
export function instructionsIn(file: Dockerfile, selection: Range): readonly Instruction[] {
  const { start } = selection;
  let { end } = selection;
  while (end > start && /\s/.test(file.text.charAt(end - 1))) end--;
  return file.instructions.filter(({ range }) => range.start <= end && range.end >= start);
}

/** The instruction at the selection when there is just one. */
export function onlyInstruction({ file, selection }: RefactorRequest): Instruction | undefined {
  const found = instructionsIn(file, selection);
  return found.length === 1 ? found[0] : undefined;
}

export function stageOf({ stages }: Dockerfile, instruction: Instruction): Stage | undefined {
  return stages.find(
    ({ from, instructions }) => from === instruction || instructions.includes(instruction),
  );
}

/** A shell text that is read without a mistake. */
export function scriptFor(
  { scripts }: RefactorRequest,
  instruction: Instruction,
): (ScriptUse & { readonly script: NonNullable<ScriptUse['script']> }) | undefined {
  const use = scripts.find((each) => each.instruction === instruction);
  const script = use?.script;
  if (use === undefined || script === undefined || script.problems.length > 0) return undefined;
  return { ...use, script };
}

/** What stands before the command of an instruction: keyword and flags, with the space behind them. */
export function headOf({ text }: Dockerfile, { keyword, argument }: Instruction): string {
  return text.slice(keyword.range.start, argument.range.start);
}

/** A line break behind a continuation. */
export function continuation(file: Dockerfile): string {
  return ` ${file.directives.escapeCharacter}${lineBreak(file)}`;
}

/** The comment lines of a piece of the file, trimmed. */
export function commentsIn(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('#'));
}

/** A RUN in shell form without heredocs. */
export function isPlainRun(instruction: Instruction | undefined): instruction is RunInstruction {
  return (
    instruction?.kind === 'RUN' &&
    instruction.command.form === 'shell' &&
    instruction.heredocs.length === 0
  );
}

/** Finds what refactorings work on: the instructions of a selection, their stage, their scripts. */
import { lineBreak } from '../lint/edits.ts';
import { heldBy } from '../scope/places.ts';
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

/** The instruction at the selection when there is just one; what ONBUILD holds stands for it. */
export function onlyInstruction({ file, selection }: RefactorRequest): Instruction | undefined {
  const [only, ...more] = instructionsIn(file, selection);
  return only === undefined || more.length > 0 ? undefined : innerOf(only);
}

/** What is to be refactored of an instruction: what ONBUILD holds, if anything; else itself. */
export function innerOf(instruction: Instruction): Instruction {
  return heldBy(instruction) ?? instruction;
}

/** The ONBUILD that holds an instruction, else the instruction itself. */
export function outerOf({ instructions }: Dockerfile, inner: Instruction): Instruction {
  if (instructions.includes(inner)) return inner;
  return instructions.find((each) => innerOf(each) === inner) ?? inner;
}

export function isHeld({ instructions }: Dockerfile, instruction: Instruction): boolean {
  return !instructions.includes(instruction);
}

export function stageOf(file: Dockerfile, instruction: Instruction): Stage | undefined {
  const outer = outerOf(file, instruction);
  return file.stages.find(
    ({ from, instructions }) => from === outer || instructions.includes(outer),
  );
}

/**
 * Whether the shell at an instruction's place is the one that runs it. What ONBUILD holds is run by the shell with which
 * its stage ends, or which another ONBUILD sets.
 */
export function isShellCertain(file: Dockerfile, instruction: Instruction): boolean {
  if (!isHeld(file, instruction)) return true;
  const others = stageOf(file, instruction)?.instructions ?? [];
  return others.every(
    (each) =>
      innerOf(each).kind !== 'SHELL' ||
      (each.kind === 'SHELL' && each.range.end < instruction.range.start),
  );
}

/** A shell text that is read without a mistake, and by the shell that will run it. */
export function scriptFor(
  { file, scripts }: RefactorRequest,
  instruction: Instruction,
): (ScriptUse & { readonly script: NonNullable<ScriptUse['script']> }) | undefined {
  const use = scripts.find((each) => each.instruction === instruction);
  const script = use?.script;
  if (use === undefined || script === undefined || script.problems.length > 0) return undefined;
  return isShellCertain(file, instruction) ? { ...use, script } : undefined;
}

/** What stands before the command of an instruction: keyword and flags, with the space behind them. */
export function headOf({ text }: Dockerfile, { keyword, argument }: Instruction): string {
  return text.slice(keyword.range.start, argument.range.start);
}

/** As `headOf`, with ONBUILD where that holds the instruction. */
export function wholeHeadOf(file: Dockerfile, instruction: Instruction): string {
  const { start } = outerOf(file, instruction).keyword.range;
  return file.text.slice(start, instruction.argument.range.start);
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

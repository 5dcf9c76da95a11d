/**
 * The Dockerfile parser's entry: text in, tree and problems out. Pure; never throws, whatever the text.
 * Follows frontend 1.26 (docs.docker.com/reference/dockerfile); what it accepts, the builder builds.
 */
import { readInstruction } from './instructions.ts';
import { ProblemList } from './problems.ts';
import { LineReader } from './reader.ts';
import { checkStages, groupStages } from './stages.ts';
import type { Dockerfile, Instruction, PairInstruction } from './syntax.ts';
import { LineIndex } from '../text/lines.ts';

export type * from './syntax.ts';

/** Parses a Dockerfile. Offsets and columns count UTF-16 code units; a byte order mark counts as one. */
export function parseDockerfile(text: string): Dockerfile {
  const lines = new LineIndex(text);
  const problems = new ProblemList(lines);
  const reader = new LineReader(text, problems);
  const context = { reader, problems };
  const instructions: Instruction[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    instructions.push(readInstruction(line, context));
  }
  const { comments } = reader;
  const directives = reader.directivesFound();
  return assemble({ text, lines, directives, comments, instructions }, problems);
}

/** Puts a file together from its instructions, and checks what is between them. */
export function assemble(
  read: Pick<Dockerfile, 'text' | 'lines' | 'directives' | 'comments' | 'instructions'>,
  problems: ProblemList,
): Dockerfile {
  const { instructions } = read;
  const stages = groupStages(instructions);
  checkStages(instructions, stages, problems);
  return { ...read, stages, globalArgs: globalArgs(instructions), problems: problems.sorted() };
}

function globalArgs(instructions: readonly Instruction[]): PairInstruction[] {
  const found: PairInstruction[] = [];
  for (const instruction of instructions) {
    if (instruction.kind === 'FROM') break;
    if (instruction.kind === 'ARG') found.push(instruction);
  }
  return found;
}

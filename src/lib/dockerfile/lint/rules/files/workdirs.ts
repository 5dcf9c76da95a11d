/** Follows the working directory through a stage. */
import type { Instruction, Stage, ValueInstruction } from '../../../syntax.ts';
import type { Facts } from '../../analysis/facts.ts';

export interface Workdir {
  readonly instruction: ValueInstruction;
  /** The directory in force before it; undefined while only the base image knows. */
  readonly before: string | undefined;
}

/** The WORKDIR instructions of a stage, each with what it is relative to; none where all give the whole path. */
export function workdirs(stage: Stage, facts: Facts): Workdir[] {
  if (!stage.instructions.some(isRelative)) return [];
  const chain = facts.chainOf(stage).filter((each) => facts.summaryOf(each).hasWorkdir);
  let at = facts.rootOf(stage).from.image.text === 'scratch' ? '/' : undefined;
  const found: Workdir[] = [];
  for (const member of chain.reverse()) {
    for (const instruction of member.instructions) {
      if (instruction.kind !== 'WORKDIR') continue;
      if (member === stage) found.push({ instruction, before: at });
      const { text } = instruction.value;
      if (isAbsolute(text)) at = text.replaceAll(/^["']|["']$/g, '');
      else if (at !== undefined) at = (joinPath(at, text) ?? at).slice(0, PATH_LIMIT);
    }
  }
  return found;
}

function isRelative(instruction: Instruction): boolean {
  return instruction.kind === 'WORKDIR' && !isAbsolute(instruction.value.text);
}

/** As long as a path can be. */
const PATH_LIMIT = 4096;

function isAbsolute(text: string): boolean {
  return /^["']?([/\\$%]|[A-Za-z]:)/.test(text);
}

/** A relative path below a directory, `.` and `..` worked out; undefined when it is absolute or empty. */
export function joinPath(directory: string, path: string): string | undefined {
  if (path === '' || isAbsolute(path)) return undefined;
  const parts = directory.split('/').filter((part) => part !== '');
  for (const part of path.replaceAll(/^["']|["']$/g, '').split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `${directory.startsWith('/') ? '/' : ''}${parts.join('/')}`;
}

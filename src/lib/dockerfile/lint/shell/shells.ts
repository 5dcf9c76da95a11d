/** Follows which shell runs the shell forms of a file: SHELL, a `# hadolint shell=` comment, what base images set. */
import { baseShells } from '../../shell/platform.ts';
import { DEFAULT_SHELL, shellFrom, type ShellInForce } from '../../shell/shells.ts';
import type { Dockerfile, Instruction, Stage } from '../../syntax.ts';
import type { Facts } from '../analysis/facts.ts';

interface Change {
  readonly offset: number;
  readonly shell: ShellInForce;
}

export interface Shells {
  /** The shell in force at an instruction of a stage. */
  at(instruction: Instruction, stage: Stage | undefined): ShellInForce;
}

const PRAGMA = /^#\s*hadolint\s+shell\s*=\s*([\w./\\-]+)/i;

/** The shells of a file. */
export function shellsOf(file: Dockerfile, facts: Facts): Shells {
  const changes = changesOf(file);
  const initial = new Map<Stage, ShellInForce>();
  const bases = baseShells(file);
  for (const stage of file.stages) {
    const base = facts.baseOf(stage);
    const before = base === undefined ? undefined : lastWithin(changes, base, base.range.end + 1);
    const inherited =
      base === undefined ? (imageShell(stage, facts) ?? bases(stage)) : initial.get(base);
    initial.set(stage, before ?? inherited ?? DEFAULT_SHELL);
  }
  return {
    at: ({ range }, stage) => {
      if (stage === undefined) return DEFAULT_SHELL;
      return lastWithin(changes, stage, range.start) ?? initial.get(stage) ?? DEFAULT_SHELL;
    },
  };
}

function changesOf({ instructions, comments }: Dockerfile): Change[] {
  const changes: Change[] = [];
  for (const instruction of instructions) {
    if (instruction.kind !== 'SHELL' || instruction.words.length === 0) continue;
    const shell = shellFrom(instruction.words.map(({ text }) => text));
    changes.push({ offset: instruction.range.start, shell });
  }
  let next = 0;
  for (const { text, range } of comments) {
    const program = PRAGMA.exec(text)?.[1];
    if (program === undefined) continue;
    while ((instructions[next]?.range.end ?? Infinity) < range.start) next++;
    // Above FROM it is meant for the stage that follows.
    const following = instructions[next];
    const offset = following?.kind === 'FROM' ? following.range.start : range.start;
    changes.push({ offset, shell: shellFrom([program, '-c']) });
  }
  return changes.sort((a, b) => a.offset - b.offset);
}

/** The last change of a stage before an offset. */
function lastWithin(
  changes: readonly Change[],
  { from, range }: Stage,
  before: number,
): ShellInForce | undefined {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.offset ?? 0) < before) low = middle + 1;
    else high = middle;
  }
  const found = changes[low - 1];
  return found !== undefined && found.offset >= from.range.start && found.offset <= range.end + 1
    ? found.shell
    : undefined;
}

/** What is known of the base image itself counts more than what its name tells. */
function imageShell({ from }: Stage, facts: Facts): ShellInForce | undefined {
  const known = facts.imageShell(from);
  if (known === undefined) return undefined;
  return known.length === 0 ? DEFAULT_SHELL : shellFrom(known);
}

/** Owns the stages of a Dockerfile: their grouping, the references between them, and which ones a target needs. */
import { problemOf, type ProblemList, suggestion } from './problems.ts';
import type {
  Dockerfile,
  FromInstruction,
  Instruction,
  LineIndex,
  Problem,
  Stage,
  Word,
} from './syntax.ts';

/** Groups instructions by FROM; those before the first FROM belong to no stage. */
export function groupStages(instructions: readonly Instruction[]): Stage[] {
  const stages: { from: FromInstruction; members: Instruction[] }[] = [];
  for (const instruction of instructions) {
    if (instruction.kind === 'FROM') stages.push({ from: instruction, members: [] });
    stages.at(-1)?.members.push(instruction);
  }
  return stages.map(({ from, members }, index) => ({
    index,
    name: from.name?.text.toLowerCase(),
    from,
    instructions: members.slice(1),
    range: { start: from.range.start, end: (members.at(-1) ?? from).range.end },
  }));
}

/** Reports what is wrong between instructions: nothing to build, names given twice, references to nothing. */
export function checkStages(
  instructions: readonly Instruction[],
  stages: readonly Stage[],
  problems: ProblemList,
): void {
  const [first] = instructions;
  if (first === undefined) {
    const range = { start: 0, end: 0 };
    problems.add({ code: 'NoInstructions', message: 'the file has no instructions', range });
    return;
  }
  for (const instruction of instructions) {
    if (instruction.kind === 'FROM') break;
    if (instruction.kind === 'ARG' || instruction.kind === 'UNKNOWN') continue;
    const message = `${instruction.kind} stands before the first FROM; only ARG may`;
    problems.add({ code: 'NoBuildStage', message, range: instruction.keyword.range });
  }
  if (stages.length === 0 && instructions.every(({ kind }) => kind === 'ARG')) {
    const message = 'the file has no FROM, so there is nothing to build';
    problems.add({ code: 'NoBuildStage', message, range: first.keyword.range });
  }
  checkNames(stages, problems);
  for (const stage of stages) {
    checkReferences(stage, stages, problems);
    checkSingles(stage, problems);
  }
}

function checkNames(stages: readonly Stage[], problems: ProblemList): void {
  const seen = new Set<string>();
  for (const { name, from } of stages) {
    if (name === undefined || from.name === undefined) continue;
    if (seen.has(name)) {
      const message = `stage name '${from.name.text}' is used by more than one stage`;
      const { range } = from.name;
      problems.add({ code: 'DuplicateStageName', message, range, severity: 'warning' });
    }
    seen.add(name);
  }
}

/** A number must be an earlier stage's index; a name that is no stage is an image or a named context. */
function checkReferences(stage: Stage, stages: readonly Stage[], problems: ProblemList): void {
  const names = new Map(stages.map((other) => [other.name, other.index]));
  for (const { word, kind } of stageReferences(stage)) {
    const { text, range } = word;
    if (kind !== 'copy') continue;
    if (text.includes('$')) {
      const message =
        'COPY --from takes no variables: name a stage with FROM … AS and use that name';
      problems.add({ code: 'InvalidExpansion', message, range });
    } else if (/^\d+$/.test(text)) {
      if (Number(text) < stage.index) continue;
      const message = `there is no stage ${text} before this one`;
      problems.add({ code: 'UnknownStage', message, range });
    } else if ((names.get(text.toLowerCase()) ?? -1) === stage.index) {
      const message = `stage '${text}' cannot copy from itself`;
      problems.add({ code: 'UnknownStage', message, range });
    }
  }
}

function checkSingles(stage: Stage, problems: ProblemList): void {
  const last = new Map<string, Instruction>();
  for (const instruction of stage.instructions) {
    const { kind } = instruction;
    if (kind !== 'CMD' && kind !== 'ENTRYPOINT' && kind !== 'HEALTHCHECK') continue;
    const before = last.get(kind);
    last.set(kind, instruction);
    if (before === undefined) continue;
    const message = `only the last ${kind} of a stage has an effect`;
    const { range } = before.keyword;
    problems.add({ code: 'MultipleInstructionsDisallowed', message, range, severity: 'warning' });
  }
}

/** A place where a stage names another stage or an image: FROM, COPY --from, RUN --mount=from. */
export interface StageReference {
  readonly kind: 'base' | 'copy' | 'mount';
  readonly word: Word;
  readonly instruction: Instruction;
}

/** All references of a stage, in the order of the file; those of ONBUILD are left out, they act elsewhere. */
export function stageReferences(stage: Stage): StageReference[] {
  const { from } = stage;
  const found: StageReference[] = [{ kind: 'base', word: from.image, instruction: from }];
  for (const instruction of stage.instructions) {
    if (instruction.kind === 'COPY' && instruction.from !== undefined) {
      found.push({ kind: 'copy', word: instruction.from, instruction });
    } else if (instruction.kind === 'RUN') {
      for (const { from: word } of instruction.mounts) {
        if (word !== undefined) found.push({ kind: 'mount', word, instruction });
      }
    }
  }
  return found;
}

/**
 * The stage that a name means where it stands: one before stage `before` of that name (the last of them wins), or the
 * one of that index when `name` is a number. Undefined: it is an image or a named context.
 * FROM takes names only; COPY and mounts take indices too.
 */
export function resolveStage(
  stages: readonly Stage[],
  name: string,
  { before, indices }: { readonly before: number; readonly indices: boolean },
): Stage | undefined {
  const wanted = name.toLowerCase();
  for (let at = Math.min(before, stages.length) - 1; at >= 0; at--) {
    if (stages[at]?.name === wanted) return stages[at];
  }
  if (!indices || !/^\d{1,9}$/.test(name)) return undefined;
  const index = Number(name);
  return index < before ? stages[index] : undefined;
}

export type Target =
  { readonly stage: Stage } | { readonly stage: undefined; readonly problem: Problem };

/** The stage to build: by name, by index, or the last one when `target` is empty. */
export function selectTarget(dockerfile: Dockerfile, target: string | undefined): Target {
  const { stages, lines } = dockerfile;
  const found =
    target === undefined || target === ''
      ? stages.at(-1)
      : resolveStage(stages, target, { before: stages.length, indices: true });
  if (found !== undefined) return { stage: found };
  return { stage: undefined, problem: missingTarget(stages, target ?? '', lines) };
}

function missingTarget(stages: readonly Stage[], target: string, lines: LineIndex): Problem {
  const names = stages.flatMap(({ name }) => name ?? []);
  const message =
    stages.length === 0
      ? 'the file has no FROM, so there is nothing to build'
      : `target stage '${target}' could not be found${suggestion(target, names)}`;
  const range = stages.at(-1)?.from.range ?? { start: 0, end: 0 };
  return problemOf({ code: 'UnknownStage', message, range }, lines);
}

/**
 * The stages that a target needs, itself included, in the order of the file, so that each comes after what it uses.
 * `value` gives a FROM's image name with its variables expanded; without it the name as written counts.
 */
export function reachableStages(
  stages: readonly Stage[],
  target: Stage,
  value: (word: Word) => string = ({ text }) => text,
): Stage[] {
  const needed = new Set<Stage>();
  const waiting: Stage[] = [target];
  for (let stage = waiting.pop(); stage !== undefined; stage = waiting.pop()) {
    if (needed.has(stage)) continue;
    needed.add(stage);
    for (const { kind, word } of stageReferences(stage)) {
      const name = kind === 'base' ? value(word) : word.text;
      const found = resolveStage(stages, name, { before: stage.index, indices: kind !== 'base' });
      if (found !== undefined) waiting.push(found);
    }
  }
  return stages.filter((stage) => needed.has(stage));
}

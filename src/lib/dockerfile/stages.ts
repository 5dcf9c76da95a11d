/** Owns the stages of a Dockerfile: their grouping, the references between them, and which ones a target needs. */
import { type ProblemList, suggestion } from './problems.ts';
import type { FromInstruction, Instruction, Stage, Word } from './syntax.ts';

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

/** Far above what people write: planning a build takes time that grows with the square of both. */
const MOST_INSTRUCTIONS = 3000;
const MOST_STAGES = 500;

/** Reports what is wrong between instructions: nothing or too much to build, names given twice, references to nothing. */
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
  checkSize(instructions, stages, problems);
  checkNames(stages, problems);
  checkReferences(new StageGraph(stages), problems);
  for (const stage of stages) checkSingles(stage, problems);
}

function checkSize(
  instructions: readonly Instruction[],
  stages: readonly Stage[],
  problems: ProblemList,
): void {
  const excess = (what: string, most: number, at: Instruction | undefined): void => {
    if (at === undefined) return;
    const message = `the file has more than ${String(most)} ${what}: split it into several images`;
    problems.add({ code: 'TooManyInstructions', message, range: at.keyword.range });
  };
  excess('instructions', MOST_INSTRUCTIONS, instructions[MOST_INSTRUCTIONS]);
  excess('stages', MOST_STAGES, stages[MOST_STAGES]?.from);
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

/** A number must be a stage's index; a name that is no stage is an image or a named context. */
function checkReferences(graph: StageGraph, problems: ProblemList): void {
  for (const stage of graph.stages) {
    for (const { word, kind } of stageReferences(stage)) {
      if (kind !== 'copy') continue;
      const { text, range } = word;
      if (text.includes('$')) {
        const message =
          'COPY --from takes no variables: name a stage with FROM … AS and use that name';
        problems.add({ code: 'InvalidExpansion', message, range });
      } else if (
        /^\d+$/.test(text) &&
        graph.resolve({ kind, name: text, at: stage }) === undefined
      ) {
        problems.add({ code: 'UnknownStage', message: `there is no stage ${text}`, range });
      }
    }
  }
  const knot = graph.circular();
  if (knot === undefined) return;
  const { range } = knot.from.name ?? knot.from.keyword;
  const message = `stage '${knot.name ?? String(knot.index)}' depends on itself`;
  problems.add({ code: 'CircularDependency', message, range });
}

function checkSingles(stage: Stage, problems: ProblemList): void {
  let last: Map<string, Instruction> | undefined;
  for (const instruction of stage.instructions) {
    const { kind } = instruction;
    if (kind !== 'CMD' && kind !== 'ENTRYPOINT' && kind !== 'HEALTHCHECK') continue;
    last ??= new Map();
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

/** Where a stage's name is used: by what, and in which stage. */
export interface Use {
  readonly kind: StageReference['kind'];
  readonly name: string;
  readonly at: Stage;
}

/** Gives a FROM's image name with its variables expanded; without it the name as written counts. */
export type BaseName = (word: Word) => string;

const asWritten: BaseName = ({ text }) => text;

/** Stages and what they need of each other. */
export class StageGraph {
  readonly stages: readonly Stage[];
  private readonly byName = new Map<string, Stage[]>();

  constructor(stages: readonly Stage[]) {
    this.stages = stages;
    for (const stage of stages) {
      if (stage.name === undefined) continue;
      const known = this.byName.get(stage.name);
      if (known === undefined) this.byName.set(stage.name, [stage]);
      else known.push(stage);
    }
  }

  /** The last stage of a name, in any casing. */
  named(name: string): Stage | undefined {
    return this.byName.get(name.toLowerCase())?.at(-1);
  }

  indexed(index: string): Stage | undefined {
    return /^\d{1,9}$/.test(index) ? this.stages[Number(index)] : undefined;
  }

  /**
   * The stage that a name means; undefined: it is an image or a named context. FROM means a stage before it, COPY and
   * mounts any stage, and only COPY takes an index.
   */
  resolve({ kind, name, at }: Use): Stage | undefined {
    if (kind === 'base') return lastBefore(this.byName.get(name) ?? [], at.index);
    if (kind === 'copy' && /^\d+$/.test(name)) return this.indexed(name);
    return this.named(name);
  }

  /** The stages that a stage uses directly, each once. */
  dependencies(stage: Stage, baseName: BaseName = asWritten): Stage[] {
    const found = new Set<Stage>();
    for (const { kind, word } of stageReferences(stage)) {
      const name = kind === 'base' ? baseName(word) : word.text;
      const used = this.resolve({ kind, name, at: stage });
      if (used !== undefined) found.add(used);
    }
    return [...found];
  }

  /** The stages that a target needs and the target itself, each after those that it uses. */
  reachable(target: Stage, baseName: BaseName = asWritten): Stage[] {
    return this.walk([target], baseName).order;
  }

  /** A stage that needs itself, directly or through others. */
  circular(): Stage | undefined {
    return this.walk(this.stages, asWritten).knot;
  }

  /** Depth first without recursion, since a file may chain any number of stages. */
  private walk(from: readonly Stage[], baseName: BaseName): { order: Stage[]; knot?: Stage } {
    const order: Stage[] = [];
    const done = new Set<Stage>();
    const open = new Map<Stage, Stage[]>();
    let knot: Stage | undefined;
    for (const root of from) {
      const path = done.has(root) ? [] : [root];
      for (let stage = path.at(-1); stage !== undefined; stage = path.at(-1)) {
        const waiting = open.get(stage) ?? this.dependencies(stage, baseName);
        open.set(stage, waiting);
        const next = waiting.pop();
        if (next === undefined) {
          path.pop();
          open.delete(stage);
          done.add(stage);
          order.push(stage);
        } else if (open.has(next)) knot ??= next;
        else if (!done.has(next)) path.push(next);
      }
    }
    return knot === undefined ? { order } : { order, knot };
  }
}

/** The last of some stages, in the order of the file, whose index is below another. */
function lastBefore(stages: readonly Stage[], index: number): Stage | undefined {
  let low = 0;
  let high = stages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stages[middle]?.index ?? 0) < index) low = middle + 1;
    else high = middle;
  }
  return stages[low - 1];
}

/**
 * The stage that a name means for FROM (`indices: false`: one before stage `before`), or for COPY, mounts and targets
 * (`indices: true`: any stage, by name or index). Many look-ups in one file are cheaper through a StageGraph.
 */
export function resolveStage(
  stages: readonly Stage[],
  name: string,
  { before, indices }: { readonly before: number; readonly indices: boolean },
): Stage | undefined {
  if (!indices) return stages.findLast((stage) => stage.index < before && stage.name === name);
  const graph = new StageGraph(stages);
  return graph.named(name) ?? graph.indexed(name);
}

/** `StageGraph.reachable` for one use. */
export function reachableStages(
  stages: readonly Stage[],
  target: Stage,
  baseName: BaseName = asWritten,
): Stage[] {
  return new StageGraph(stages).reachable(target, baseName);
}

/** The stage to build, by name or index, or the last one when `target` is empty; or why there is none. */
export function targetStage(
  stages: readonly Stage[],
  target: string,
): { readonly stage: Stage } | { readonly missing: string } {
  const stage =
    target === ''
      ? stages.at(-1)
      : resolveStage(stages, target, { before: stages.length, indices: true });
  if (stage !== undefined) return { stage };
  const names = stages.flatMap(({ name }) => name ?? []);
  const unlike =
    names.length === 0 ? '; its stages have no names, only numbers' : '; it has no such stage';
  const hint = suggestion(target, names) || unlike;
  return { missing: `failed to reach build target ${target} in Dockerfile${hint}` };
}

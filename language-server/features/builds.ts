/** Which instructions of a text are still those of a build, and how its figures are written. Pure. */
import { normalInstruction } from '../../src/client/build/progress.ts';
import type { BuildRecord, BuildStep } from '../../src/lib/api/builds.ts';
import { StageGraph, stageReferences } from '../../src/lib/dockerfile/stages.ts';
import { sizeText, timeText } from '../../src/lib/text/amounts.ts';
import type { Dockerfile, Instruction, Stage } from '../../src/lib/dockerfile/syntax.ts';

/** The instructions that records hold: those that touch files. The others change the configuration only. */
export const WEIGHTY: ReadonlySet<string> = new Set<Instruction['kind']>([
  'RUN',
  'COPY',
  'ADD',
  'WORKDIR',
]);

/**
 * The steps of a build by their instructions in the text of now: of each stage those up to the first one that is another,
 * and none behind a stage that they need and that is another.
 */
export function stepsOf(
  file: Dockerfile,
  record: BuildRecord,
): ReadonlyMap<Instruction, BuildStep> {
  const graph = new StageGraph(file.stages);
  const found = new Map<Instruction, BuildStep>();
  const whole = new Set<Stage>();
  for (const stage of file.stages) {
    const steps = stepsOfStage(record, stage);
    let at = 0;
    let isSame = needsOnly(graph, { stage, instruction: stage.from, whole });
    for (const instruction of stage.instructions) {
      if (!WEIGHTY.has(instruction.kind)) continue;
      const step = steps[at++];
      isSame &&= step !== undefined && isStep(file, instruction, step);
      isSame &&= needsOnly(graph, { stage, instruction, whole });
      if (!isSame || step === undefined) break;
      found.set(instruction, step);
    }
    if (isSame && steps.length === at) whole.add(stage);
  }
  return found;
}

/** Without ONBUILD triggers, which stand in another file, and without what changes the configuration only. */
function stepsOfStage({ stepList }: BuildRecord, stage: Stage): BuildStep[] {
  const own = stepList.filter(
    ({ number, text }) =>
      number > 0 && WEIGHTY.has(text.slice(0, text.search(/\s|$/)).toUpperCase()),
  );
  return stage.name === undefined
    ? own.filter((step) => step.stage === stage.index && step.stageName === null)
    : own.filter(({ stageName }) => stageName?.toLowerCase() === stage.name);
}

/** The same words on as many lines: of a heredoc the record has only the lines. */
function isStep(file: Dockerfile, instruction: Instruction, step: BuildStep): boolean {
  const { start, end } = file.lines.span(instruction.range);
  return (
    normalInstruction(instruction.original) === normalInstruction(step.text) &&
    end.line - start.line === step.endLine - step.startLine
  );
}

interface Needs {
  readonly stage: Stage;
  readonly instruction: Instruction;
  readonly whole: ReadonlySet<Stage>;
}

function needsOnly(graph: StageGraph, { stage, instruction, whole }: Needs): boolean {
  return stageReferences(stage).every((reference) => {
    if (reference.instruction !== instruction) return true;
    const used = graph.resolve({ kind: reference.kind, name: reference.word.text, at: stage });
    return used === undefined || whole.has(used);
  });
}

/** As `timeText`; '' for less than a tenth of a second, which nobody cares for. */
export function secondsText(ms: number): string {
  return ms < 100 ? '' : timeText(ms);
}

/** As `sizeText`; '' for nothing. */
export function bytesText(bytes: number): string {
  return bytes <= 0 ? '' : sizeText(bytes);
}

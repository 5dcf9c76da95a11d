/**
 * Gives selected instructions a stage of their own: the stage is cut before and behind them, and each piece is built on
 * the one before. The last piece keeps the stage's name, so that its image and all that refers to it stay the same.
 */
import { insert, lineBreak, replace } from '../lint/edits.ts';
import type { Edit } from '../lint/rule.ts';
import type { Dockerfile, Instruction, Stage, Word } from '../syntax.ts';
import { instructionsIn, stageOf } from './place.ts';
import type { RefactorRequest, Refactoring } from './refactoring.ts';

export function extractStage({ file, selection }: RefactorRequest): readonly Refactoring[] {
  if (selection.end <= selection.start) return [];
  const chosen = instructionsIn(file, selection);
  const [first] = chosen;
  const last = chosen.at(-1);
  const stage = first === undefined ? undefined : stageOf(file, first);
  if (first === undefined || last === undefined || stage === undefined) return [];
  const { instructions, from } = stage;
  if (!chosen.every((each) => instructions.includes(each))) return [];
  const cuts = [instructions.indexOf(first), instructions.indexOf(last) + 1].filter(
    (at) => at > 0 && at < instructions.length,
  );
  if (cuts.length === 0 || cuts.some((at) => !canCut(instructions, at))) return [];
  const names = freeNames(file, stage, cuts.length);
  const edits: Edit[] = [naming(stage, names[0] ?? ''), ...renumber(file, stage, cuts.length)];
  for (const [index, at] of cuts.entries()) {
    const next = names[index + 1] ?? from.name?.text;
    const before = instructions[at];
    if (before === undefined) return [];
    edits.push(
      cutAt(file, before, `FROM ${names[index] ?? ''}${next === undefined ? '' : ` AS ${next}`}`),
    );
  }
  edits.sort((a, b) => a.range.start - b.range.start);
  return [{ title: 'Extract a stage from the selection', kind: 'extract', edits }];
}

/** Triggers would run at the cut, and an ENTRYPOINT takes an inherited CMD away. */
function canCut(instructions: readonly Instruction[], at: number): boolean {
  const before = instructions.slice(0, at);
  if (before.some(({ kind }) => kind === 'ONBUILD')) return false;
  const ends = instructions.slice(at).some(({ kind }) => kind === 'ENTRYPOINT');
  return !(ends && before.some(({ kind }) => kind === 'CMD'));
}

function freeNames({ stages, instructions }: Dockerfile, stage: Stage, count: number): string[] {
  const taken = new Set<string>(['scratch', 'context']);
  for (const { from, name } of stages) {
    taken.add(from.image.text.toLowerCase());
    if (name !== undefined) taken.add(name);
  }
  for (const each of instructions) {
    for (const { text } of referencesOf(each)) taken.add(text.toLowerCase());
  }
  const names: string[] = [];
  for (const base of count === 2 ? [`${stage.name ?? 'stage'}-base`, 'extracted'] : ['extracted']) {
    let name = base;
    for (let number = 2; taken.has(name); number++) name = `${base}-${String(number)}`;
    taken.add(name);
    names.push(name);
  }
  return names;
}

/** The first piece's FROM gets a name, in place of the one that moves to the last. */
function naming({ from }: Stage, name: string): Edit {
  if (from.name === undefined) return insert(from.image.range.end, ` AS ${name}`);
  return replace(from.name.range, name);
}

/** The new FROM stands above the comments that belong to the instruction below it. */
function cutAt(file: Dockerfile, before: Instruction, from: string): Edit {
  const { text, comments } = file;
  let start = text.lastIndexOf('\n', before.range.start - 1) + 1;
  for (let at = comments.length - 1; at >= 0; at--) {
    const comment = comments[at];
    if (comment === undefined || comment.range.start > start) continue;
    if (
      text.slice(comment.range.end, start).trim() !== '' ||
      /\n\s*\n/.test(text.slice(comment.range.end, start))
    )
      break;
    start = text.lastIndexOf('\n', comment.range.start - 1) + 1;
  }
  const newline = lineBreak(file);
  const apart = /\n\s*\n$/.test(text.slice(0, start)) ? '' : newline;
  return insert(start, `${apart}${from}${newline}`);
}

/** Stages that are named by their number move up. */
function renumber({ instructions }: Dockerfile, stage: Stage, by: number): Edit[] {
  return instructions.flatMap((each) =>
    each.range.start <= stage.range.end
      ? []
      : referencesOf(each).flatMap(({ text, range }): Edit[] => {
          const isNumber = /^\d+$/.test(text) && range.end - range.start === text.length;
          if (!isNumber || Number(text) < stage.index) return [];
          return [{ range, text: String(Number(text) + by) }];
        }),
  );
}

function referencesOf(instruction: Instruction): readonly Word[] {
  if (instruction.kind === 'COPY') return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.kind === 'RUN') return instruction.mounts.flatMap(({ from }) => from ?? []);
  return [];
}

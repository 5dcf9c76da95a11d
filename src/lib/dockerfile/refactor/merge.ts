/**
 * Merges RUN instructions that follow each other into one. Each ran in a shell of its own, so one that leaves something
 * behind is put into a subshell, and lists that `&&` would tear apart are grouped.
 */
import { insert, lineBreak, replace } from '../lint/edits.ts';
import type { Edit } from '../lint/rule.ts';
import type { Dockerfile, Instruction, Range, RunInstruction, Stage } from '../syntax.ts';
import { andParts, callsName, isPlain, leavesState } from './lists.ts';
import {
  commentsIn,
  continuation,
  innerOf,
  instructionsIn,
  isHeld,
  isPlainRun,
  scriptFor,
  stageOf,
} from './place.ts';
import type { RefactorRequest, Refactoring } from './refactoring.ts';

export function mergeRuns(request: RefactorRequest): readonly Refactoring[] {
  const chosen = instructionsIn(request.file, request.selection).map(innerOf);
  const runs = chosen.filter(isPlainRun);
  if (runs.length === 0 || runs.length !== chosen.length) return [];
  const block = runs.length > 1 ? runs : around(request, runs[0]);
  if (block.length < 2) return [];
  const edits = mergeEdits(request, block);
  if (edits === undefined) return [];
  return [{ title: `Merge ${String(block.length)} RUN instructions`, kind: 'inline', edits }];
}

/** All RUN instructions above and below one that fit together with it. */
function around(request: RefactorRequest, run: RunInstruction | undefined): RunInstruction[] {
  const stage = run === undefined ? undefined : stageOf(request.file, run);
  if (run === undefined || stage === undefined) return [];
  const instructions = likeIn(request, stage, run);
  let first = instructions.indexOf(run);
  let last = first;
  while (fits(request, instructions[first - 1], instructions[first])) first--;
  while (fits(request, instructions[last], instructions[last + 1])) last++;
  return instructions.slice(first, last + 1).filter(isPlainRun);
}

/** The instructions of a stage that are held by ONBUILD as a run is, or not as it is not; others leave a gap. */
function likeIn(
  { file }: RefactorRequest,
  { instructions }: Stage,
  run: RunInstruction,
): readonly (Instruction | undefined)[] {
  const held = isHeld(file, run);
  return instructions.map((each) =>
    (each.kind === 'ONBUILD') === held ? innerOf(each) : undefined,
  );
}

function fits(
  request: RefactorRequest,
  a: Instruction | undefined,
  b: Instruction | undefined,
): boolean {
  if (!isPlainRun(a) || !isPlainRun(b)) return false;
  return (
    flagsOf(a) === flagsOf(b) && pieceOf(request, a, 'first') !== undefined && isLast(request, b)
  );
}

function isLast(request: RefactorRequest, run: RunInstruction): boolean {
  return pieceOf(request, run, 'last') !== undefined;
}

function flagsOf({ flags }: RunInstruction): string {
  return flags.map(({ name, value }) => `${name}=${value?.text ?? ''}`).join(' ');
}

type Position = 'first' | 'middle' | 'last';

/** What is written before and behind a command; undefined where it cannot be part of a list. */
function pieceOf(
  request: RefactorRequest,
  run: RunInstruction,
  position: Position,
): readonly [string, string] | undefined {
  const use = scriptFor(request, run);
  if (use === undefined || run.command.form !== 'shell') return undefined;
  const { script, shell } = use;
  const { items } = script.body;
  const end = items.at(-1)?.terminator;
  const isOpen = end === ';' || end === '&' || items.some(({ terminator }) => terminator === '&');
  if (items.length === 0 || isOpen || script.marks.some(({ kind }) => kind === 'comment'))
    return undefined;
  const tail = request.file.text.slice(run.command.command.range.end, run.range.end);
  if (tail.trim() !== '') return undefined;
  const parts = andParts(script);
  if (position !== 'last') {
    // On the left of && the shell does not obey -e.
    const errexit = shell.errexit && parts?.every(isPlain) !== true;
    if (errexit || callsName(script, ['set'])) return undefined;
    if (items.some(({ node }) => leavesState(script, node))) return ['( ', ' )'];
  }
  if (parts !== undefined || position === 'first') return ['', ''];
  return ['{ ', '; }'];
}

function mergeEdits(
  request: RefactorRequest,
  runs: readonly RunInstruction[],
): readonly Edit[] | undefined {
  const { file } = request;
  const [first] = runs;
  if (first === undefined || runs.some((run) => flagsOf(run) !== flagsOf(first))) return undefined;
  const stage = stageOf(file, first);
  const like = stage === undefined ? [] : likeIn(request, stage, first);
  const start = like.indexOf(first);
  if (runs.some((run, index) => like[start + index] !== run)) return undefined;
  const edits: Edit[] = [];
  let behind = '';
  for (const [index, run] of runs.entries()) {
    const position = index === 0 ? 'first' : index === runs.length - 1 ? 'last' : 'middle';
    const piece = pieceOf(request, run, position);
    if (piece === undefined || run.command.form !== 'shell') return undefined;
    const { range } = run.command.command;
    const before = runs[index - 1];
    if (before?.command.form === 'shell')
      edits.push(
        joint(file, { start: before.command.command.range.end, end: range.start }, [
          behind,
          piece[0],
        ]),
      );
    else if (piece[0] !== '') edits.push(insert(range.start, piece[0]));
    behind = piece[1];
    if (index === runs.length - 1 && behind !== '') edits.push(insert(range.end, behind));
  }
  return edits;
}

/** Comments between the two stay where they are: the builder takes them out of a continued line. */
function joint(
  file: Dockerfile,
  { start, end }: Range,
  [behind, ahead]: readonly [string, string],
): Edit {
  const newline = lineBreak(file);
  const comments = commentsIn(file.text.slice(start, end)).map((line) => `    ${line}${newline}`);
  const text = `${behind}${continuation(file)}${comments.join('')}    && ${ahead}`;
  return replace({ start, end }, text);
}

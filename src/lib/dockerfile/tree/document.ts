/**
 * A Dockerfile that is edited: only the instructions that an edit touches are read again, the others move along.
 * What it gives is equal to a whole parse of the same text; where that cannot be had cheaply it parses the whole.
 */
import { readInstruction } from '../instructions.ts';
import { type Move, moveAll, moveComment, moveInstruction, moveProblem } from './move.ts';
import { assemble, parseDockerfile } from '../parse.ts';
import { ProblemList } from '../problems.ts';
import { LineReader } from '../reader.ts';
import type { Comment, Dockerfile, Instruction, Problem, Range } from '../syntax.ts';
import { LineIndex } from '../../text/lines.ts';

/** Replaces a range of the text. */
export interface TextEdit {
  readonly range: Range;
  readonly text: string;
}

/** An instruction, what was read before it since the last one, and what is wrong with it. */
interface Unit {
  /** Where the first line of it, or of the comments before it, begins. */
  readonly start: number;
  /** Undefined for what follows the last instruction. */
  readonly instruction: Instruction | undefined;
  readonly comments: readonly Comment[];
  readonly problems: readonly Problem[];
}

const NO_COMMENTS: readonly Comment[] = [];

/** With this many problems the list may be cut, and a whole parse says where. */
const MANY_PROBLEMS = 900;

export class DockerfileDocument {
  /** Instructions that the last edit made it read. */
  reread = 0;
  private current: Dockerfile;
  private units: readonly Unit[];

  constructor(text: string) {
    // Read once: the empty file only stands in until the text is read.
    this.current = parseDockerfile('');
    this.units = [];
    this.replace(text);
  }

  get file(): Dockerfile {
    return this.current;
  }

  /** Replaces the whole text. */
  replace(text: string): Dockerfile {
    const lines = new LineIndex(text);
    const problems = new ProblemList(lines);
    const reader = new LineReader(text, problems);
    this.units = readUnits(reader, problems, () => false);
    this.reread = this.units.length;
    this.current = this.join(text, lines, reader.directivesFound());
    return this.current;
  }

  /** Applies one edit; offsets count in the text before it. */
  edit({ range, text: put }: TextEdit): Dockerfile {
    const { text: before } = this.current;
    const start = Math.max(0, Math.min(range.start, before.length));
    const end = Math.max(start, Math.min(range.end, before.length));
    const text = before.slice(0, start) + put + before.slice(end);
    const first = this.units.findLastIndex((unit) => unit.start < start);
    const many = this.current.problems.length > MANY_PROBLEMS;
    if (first <= 0 || many) return this.replace(text);
    return this.patch(text, first, { start, end, delta: put.length - (end - start) });
  }

  private patch(
    text: string,
    first: number,
    { end, delta }: { start: number; end: number; delta: number },
  ): Dockerfile {
    const lines = new LineIndex(text);
    const problems = new ProblemList(lines);
    const reader = new LineReader(text, problems);
    reader.resume(this.units[first]?.start ?? 0, this.current.directives.escapeCharacter);
    let same = first + 1;
    const meets = (at: number): boolean => {
      let unit = this.units[same];
      while (unit !== undefined && (unit.start < end || unit.start + delta < at))
        unit = this.units[++same];
      return unit !== undefined && unit.start + delta === at;
    };
    const read = readUnits(reader, problems, meets);
    this.reread = read.length;
    const met = reader.at < text.length || same < this.units.length;
    const rest = met && meets(reader.at) ? this.units.slice(same) : [];
    const move = { offset: delta, line: lines.starts.length - this.current.lines.starts.length };
    const moved = delta === 0 && move.line === 0 ? rest : rest.map((unit) => moveUnit(unit, move));
    this.units = [...this.units.slice(0, first), ...read, ...moved];
    this.current = this.join(text, lines, this.current.directives);
    return this.current;
  }

  private join(text: string, lines: LineIndex, directives: Dockerfile['directives']): Dockerfile {
    const problems = new ProblemList(lines);
    const comments: Comment[] = [];
    const instructions: Instruction[] = [];
    let count = 0;
    for (const unit of this.units) {
      count += unit.problems.length;
      problems.adopt(unit.problems);
      for (const comment of unit.comments) comments.push(comment);
      if (unit.instruction !== undefined) instructions.push(unit.instruction);
    }
    if (count > MANY_PROBLEMS) return parseDockerfile(text);
    return assemble({ text, lines, directives, comments, instructions }, problems);
  }
}

/** Reads units until the reader's place is where an unchanged one begins, or to the end. */
function readUnits(
  reader: LineReader,
  problems: ProblemList,
  meets: (at: number) => boolean,
): readonly Unit[] {
  const units: Unit[] = [];
  const context = { reader, problems };
  for (;;) {
    const start = reader.at;
    const commentsBefore = reader.comments.length;
    const problemsBefore = problems.count;
    const line = reader.next();
    const instruction = line === undefined ? undefined : readInstruction(line, context);
    units.push({
      start,
      instruction,
      comments:
        reader.comments.length === commentsBefore
          ? NO_COMMENTS
          : reader.comments.slice(commentsBefore),
      problems: problems.since(problemsBefore),
    });
    if (instruction === undefined || meets(reader.at)) return units;
  }
}

function moveUnit({ start, instruction, comments, problems }: Unit, move: Move): Unit {
  const { offset } = move;
  return {
    start: start + offset,
    instruction: instruction && moveInstruction(instruction, offset),
    comments: moveAll(comments, offset, moveComment),
    problems: problems.length === 0 ? problems : problems.map((item) => moveProblem(item, move)),
  };
}

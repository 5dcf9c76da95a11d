/**
 * Gives the atoms of a shell command line their levels: what stands within if, loops, case and groups is indented, and
 * so is what goes on from a line before. It changes nothing but white space between words.
 */
import { atomsOf, type ShellAtom } from '../shell/atoms.ts';
import type { ShellScript, SimpleCommand } from '../shell/syntax.ts';
import type { Dockerfile, Instruction, Word } from '../syntax.ts';
import type { Atom } from './atoms.ts';
import type { FormatOptions } from './options.ts';
import { ownLines } from './packages.ts';

export interface ShellContext {
  readonly argument: Word;
  readonly file: Dockerfile;
  readonly instruction: Instruction;
  readonly options: FormatOptions;
}

/** The atoms of the command line in a shell form; those of heredoc bodies below it are left out. */
export function shellAtoms(script: ShellScript, context: ShellContext): readonly Atom[] {
  const { argument, file, instruction, options } = context;
  const { atoms, commands } = atomsOf(script);
  const line = atoms.filter(({ range }) => range.start < argument.range.end);
  const own =
    options.packages === 'keep' ? NOTHING : ownLines(installs(commands, argument), file.text);
  const firstLineEnd = file.text.indexOf('\n', instruction.keyword.range.start);
  const levels = new Levels(firstLineEnd < 0 ? file.text.length : firstLineEnd);
  return line.map((atom, index): Atom => {
    const level = levels.of(atom);
    const ownLine = own.has(atom.range.start);
    return { range: atom.range, space: index === 0 ? 'one' : 'any', level, ownLine };
  });
}

const NOTHING: ReadonlySet<number> = new Set();

function installs(commands: readonly SimpleCommand[], argument: Word): readonly SimpleCommand[] {
  return commands.filter(({ range }) => range.start < argument.range.end);
}

type Open = 'block' | 'case' | 'item' | 'parenthesis';

const OPENING = new Set(['if', 'while', 'until', 'for', 'select', '{', '[[']);
const MIDDLE = new Set(['then', 'else', 'elif', 'do']);
const CLOSING = new Set(['fi', 'done', '}', ']]']);
const HEADED = new Set(['for', 'select', 'case', 'in']);
const PIPES = new Set(['|', '|&']);

/** Follows nesting along the atoms. The reading had no problems, so all that opens is closed. */
class Levels {
  private readonly firstLineEnd: number;
  private readonly open: Open[] = [];
  /** Where the command and the pipeline that are being passed began. */
  private command: number | undefined;
  /** Escaped parentheses of `find` and `test` that are open in it. */
  private groups = 0;
  private pipeline: number | undefined;

  constructor(firstLineEnd: number) {
    this.firstLineEnd = firstLineEnd;
  }

  of(atom: ShellAtom): number {
    if (atom.kind === 'keyword') return this.keyword(atom);
    if (atom.kind === 'operator') return this.operator(atom);
    if (atom.kind === 'comment') return this.depth;
    const { start } = atom.range;
    if (this.command === undefined) this.groups = 0;
    if (atom.text === '\\)' && this.groups > 0) this.groups--;
    const from = this.command ?? this.secondOfPipeline(start);
    const level = this.depth + this.goesOn(from) + this.groups;
    if (atom.text === '\\(') this.groups++;
    this.command ??= start;
    this.pipeline ??= start;
    return level;
  }

  private get depth(): number {
    return 1 + this.open.length;
  }

  /** One level more for what goes on from a line that is not the instruction's first. */
  private goesOn(from: number | undefined): number {
    return from !== undefined && from > this.firstLineEnd ? 1 : 0;
  }

  /** The pipeline's start where a further command of it begins. */
  private secondOfPipeline(start: number): number | undefined {
    return this.pipeline === start ? undefined : this.pipeline;
  }

  private keyword({ text }: ShellAtom): number {
    // The words behind these are no command: their level is that of the block.
    const start = HEADED.has(text) ? 0 : undefined;
    this.command = start;
    this.pipeline = start;
    const { depth } = this;
    if (MIDDLE.has(text)) return depth - 1;
    if (CLOSING.has(text)) return this.close();
    if (text === 'esac') {
      if (this.open.at(-1) === 'item') this.open.pop();
      return this.close();
    }
    if (text === 'case') this.open.push('case');
    else if (OPENING.has(text)) this.open.push('block');
    return depth;
  }

  private operator({ text, range }: ShellAtom): number {
    const { depth } = this;
    if (text === '(') return this.parenthesis();
    if (text === ')') return this.closeParenthesis();
    this.command = undefined;
    if (PIPES.has(text)) return depth + this.goesOn(this.pipeline ?? range.start);
    this.pipeline = undefined;
    if (text === ';;' || text === ';&' || text === ';;&') this.open.pop();
    return depth;
  }

  private parenthesis(): number {
    const { depth } = this;
    if (this.open.at(-1) !== 'case') this.open.push('parenthesis');
    this.command = undefined;
    this.pipeline = undefined;
    return depth;
  }

  private closeParenthesis(): number {
    this.command = undefined;
    this.pipeline = undefined;
    if (this.open.at(-1) !== 'case') return this.close();
    const { depth } = this;
    this.open.push('item');
    return depth;
  }

  private close(): number {
    this.open.pop();
    return this.depth;
  }
}

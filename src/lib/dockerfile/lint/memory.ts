/**
 * Keeps what rules said of an instruction by itself, by its text: the same text, in another version or another file, is
 * judged alike. Never holds offsets of a file, nor anything that a rule could only know from elsewhere in it.
 */
import type { Instruction, Range } from '../syntax.ts';
import { moveRange } from '../tree/move.ts';
import type { Hook } from './plan.ts';
import type { Fix, LintFinding, LintOptions, Rule } from './rule.ts';
import type { Script, ShellCall } from './shell/script.ts';

/** A step of a judgement: what a rule found, or a hook that looked further than the instruction and is to be asked again. */
export type Step =
  | { readonly kind: 'found'; readonly rule: Rule; readonly finding: LintFinding }
  | { readonly kind: 'instruction'; readonly hook: Hook<Instruction> }
  | { readonly kind: 'script'; readonly hook: Hook<Script> }
  | { readonly kind: 'call'; readonly hook: Hook<ShellCall>; readonly index: number };

/** In the order of the rules; offsets count from where the instruction's first line begins. */
export type Judgement = readonly Step[];

/** Characters of instructions, each counted when it is first asked for, after which the others are forgotten. */
const ROOM = 4_000_000;

/** The judgements of texts in the same surroundings: under the same options, read by the same shell. */
export interface Shelf {
  find(text: string): Judgement | undefined;
  keep(text: string, judgement: Judgement): void;
}

export class LintMemory {
  private readonly shelves = new Map<string, Pile>();
  private readonly room: number;
  private size = 0;

  /** `room`: how many characters of instructions are kept for sure; at most twice as many are. */
  constructor({ room = ROOM }: { readonly room?: number } = {}) {
    this.room = room;
  }

  /** `surroundings`: all that a judgement depends on beside the text of the instruction. */
  shelf(surroundings: string): Shelf {
    const known = this.shelves.get(surroundings);
    if (known !== undefined) return known;
    const shelf = new Pile((text) => {
      this.take(text.length);
    });
    this.shelves.set(surroundings, shelf);
    return shelf;
  }

  private take(characters: number): void {
    this.size += characters;
    if (this.size <= this.room) return;
    this.size = 0;
    for (const [surroundings, shelf] of this.shelves)
      if (!shelf.age()) this.shelves.delete(surroundings);
  }
}

/** What was asked for since the last ageing, and what was before it. */
class Pile implements Shelf {
  private young = new Map<string, Judgement>();
  private old = new Map<string, Judgement>();
  private readonly taken: (text: string) => void;

  constructor(taken: (text: string) => void) {
    this.taken = taken;
  }

  find(text: string): Judgement | undefined {
    const known = this.young.get(text);
    if (known !== undefined) return known;
    const before = this.old.get(text);
    if (before !== undefined) this.keep(text, before);
    return before;
  }

  keep(text: string, judgement: Judgement): void {
    this.young.set(detached(text), judgement);
    this.taken(text);
  }

  /** Forgets what nobody asked for since the last time; false when nothing is left. */
  age(): boolean {
    this.old = this.young;
    this.young = new Map();
    return this.old.size > 0;
  }
}

/** A copy: a part of a text would keep the whole of it in memory. */
function detached(text: string): string {
  return ` ${text}`.slice(1);
}

/** All options that rules may look at, but for what is outside of the file, of which only whether anything is known. */
export function keyOf(options: LintOptions, wanted: readonly Rule[]): string {
  const { trustedRegistries, labelSchema, strictLabels, context, images } = options;
  const rules = wanted.map(({ id }) => id);
  const outside = [context !== undefined, images !== undefined];
  return JSON.stringify([rules, trustedRegistries, [...labelSchema], strictLabels, outside]);
}

/** A finding moved by some characters. */
export function shifted(finding: LintFinding, by: number): LintFinding {
  const { range, fix } = finding;
  const moved = moveRange(range, by);
  return fix === undefined
    ? { ...finding, range: moved }
    : { ...finding, range: moved, fix: shiftedFix(fix, by) };
}

function shiftedFix({ title, edits, safety }: Fix, by: number): Fix {
  const moved = edits.map(({ range, text }) => ({ range: moveRange(range, by), text }));
  return { title, edits: moved, safety };
}

/** The whole lines of an instruction, the last line break included: what its judgement is kept by. */
export function linesOf(text: string, { start, end }: Range): Range {
  const newline = text.indexOf('\n', end);
  return {
    start: text.lastIndexOf('\n', start - 1) + 1,
    end: newline < 0 ? text.length : newline + 1,
  };
}

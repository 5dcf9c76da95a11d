/**
 * Keeps what rules said of an instruction by itself, by its text: the same text, in another version or another file, is
 * judged alike. Never holds offsets of a file, nor anything that a rule could only know from elsewhere in it.
 */
import { TextMemory } from '../../text/memory.ts';
import type { Instruction } from '../syntax.ts';
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

export class LintMemory extends TextMemory<Judgement> {}

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

/** A fix moved by some characters. */
export function shiftedFix({ title, edits, safety }: Fix, by: number): Fix {
  const moved = edits.map(({ range, text }) => ({ range: moveRange(range, by), text }));
  return { title, edits: moved, safety };
}

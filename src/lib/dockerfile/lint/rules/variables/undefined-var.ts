/**
 * UndefinedVar: variables have a value where the builder expands them. Names that a base image may set are reported only
 * when they look mistyped, have small letters, or when the image's environment is known.
 */
import type { Instruction, PairInstruction, Stage } from '../../../syntax.ts';
import { type Facts, PLATFORM_ARGUMENTS, type Inherited } from '../../analysis/facts.ts';
import { nearWord } from '../../analysis/near.ts';
import { type Reference, referencesOf } from '../../analysis/references.ts';
import { insertLine, replace, safeFix, suggestedFix } from '../../edits.ts';
import type { LintFinding, Rule, Scope } from '../../rule.ts';

export const undefinedVar: Rule = {
  id: 'UndefinedVar',
  aliases: [],
  severity: 'warning',
  summary: 'Variables are defined before they are used',
  fixable: true,
  checks: { stage: (stage, scope) => new StageCheck(stage, scope).run() },
};

const NOTHING: ReadonlySet<string> = new Set();

class StageCheck {
  private readonly stage: Stage;
  private readonly scope: Scope;
  private readonly facts: Facts;
  private readonly known = new Set<string>();
  private near: Map<string, string | undefined> | undefined;
  private readonly inherited: Inherited;
  /** The names that the present ENV sets. */
  private own: ReadonlySet<string> = new Set();

  constructor(stage: Stage, scope: Scope) {
    this.stage = stage;
    this.scope = scope;
    this.facts = scope.facts;
    this.inherited = scope.facts.inherited(stage);
  }

  run(): void {
    for (const instruction of this.stage.instructions) {
      const uses = instruction.original.includes('$');
      this.own = uses && instruction.kind === 'ENV' ? namesOf(instruction) : NOTHING;
      if (instruction.kind === 'ARG') this.readArguments(instruction);
      else if (uses) this.checkWords(instruction);
      if (instruction.kind !== 'ENV') continue;
      for (const { name } of instruction.pairs) this.known.add(name.text);
    }
  }

  /** Each of ARG's names counts from the next on. */
  private readArguments(instruction: PairInstruction): void {
    for (const { name, value } of instruction.pairs) {
      if (value !== undefined) this.checkReferences(instruction, referencesOf(value, this.escape));
      this.known.add(name.text);
    }
  }

  private get escape() {
    return this.scope.file.directives.escapeCharacter;
  }

  private checkWords(instruction: Instruction): void {
    for (const word of this.facts.expandedWords(instruction))
      this.checkReferences(instruction, referencesOf(word, this.escape));
  }

  private checkReferences(instruction: Instruction, references: readonly Reference[]): void {
    for (const reference of references) {
      const { name, guarded } = reference;
      // ENV A="$A:more" takes up what the base image may have set.
      const self = !this.inherited.complete && this.own.has(name);
      if (guarded || self || this.known.has(name) || this.inherited.has(name)) continue;
      const finding = this.judge(instruction, reference);
      if (finding !== undefined) this.scope.report(finding);
    }
  }

  private judge(
    instruction: Instruction,
    { name, nameRange: range }: Reference,
  ): LintFinding | undefined {
    const { file } = this.scope;
    const declarable = this.facts.globalArguments.has(name) || PLATFORM_ARGUMENTS.includes(name);
    if (declarable) {
      const where = PLATFORM_ARGUMENTS.includes(name)
        ? 'is predefined'
        : 'is declared before the first FROM';
      const fix = safeFix(`Add ARG ${name}`, insertLine(file, instruction, `ARG ${name}`));
      return {
        message: `'$${name}' ${where}, and has no value in a stage without ARG ${name}`,
        range,
        fix,
      };
    }
    const close = this.nearest(name);
    if (close !== undefined && (name.length > 3 || name.toLowerCase() === close.toLowerCase())) {
      const fix = suggestedFix(`Change to ${close}`, replace(range, close));
      return { message: `'$${name}' is not defined; did you mean $${close}?`, range, fix };
    }
    if (!this.inherited.complete && name === name.toUpperCase()) return undefined;
    return { message: `'$${name}' is not defined: declare it with ARG or ENV`, range };
  }

  /** The name that was meant; looked for once for each. */
  private nearest(name: string): string | undefined {
    this.near ??= new Map();
    if (this.near.has(name)) return this.near.get(name);
    const found = nearWord(name, this.candidates());
    this.near.set(name, found);
    return found;
  }

  private *candidates(): Iterable<string> {
    yield* this.known;
    yield* this.inherited.names();
  }
}

function namesOf({ pairs }: PairInstruction): ReadonlySet<string> {
  return new Set(pairs.map(({ name }) => name.text));
}

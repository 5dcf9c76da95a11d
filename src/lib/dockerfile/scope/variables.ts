/**
 * Owns which variables are in force at a place of the file and what is known of their values: global arguments, the
 * stages' ARG and ENV, those inherited from stages of the same file, and those that the builder itself knows.
 */
import { expandWord } from '../expand.ts';
import { predefinedEntry, PROXY_ARGUMENTS } from '../manual/variables.ts';
import { StageGraph } from '../stages.ts';
import type { Dockerfile, Instruction, Pair, Stage, Word } from '../syntax.ts';
import { stageAt } from './places.ts';

export interface Variable {
  readonly name: string;
  readonly origin: 'ARG' | 'ENV' | 'predefined';
  /** With quotes taken off and variables put in; undefined when only the build knows it. */
  readonly value: string | undefined;
  /** The pair that sets it; undefined for what the builder knows. */
  readonly pair: Pair | undefined;
}

/** Longer values are not worth keeping for a hover. */
const VALUE_LIMIT = 64 * 1024;
/** Chains of stages longer than this are not followed. */
const CHAIN_LIMIT = 200;

type Scope = Map<string, Variable>;

/** The variables of one parsed file; every stage is worked out once, when it is asked for. */
export class Variables {
  private readonly file: Dockerfile;
  private readonly graph: StageGraph;
  private readonly finals = new Map<Stage, Scope>();
  private globals: Scope | undefined;

  constructor(file: Dockerfile) {
    this.file = file;
    this.graph = new StageGraph(file.stages);
  }

  /** The arguments declared before the first FROM; FROM lines see these. */
  global(): ReadonlyMap<string, Variable> {
    if (this.globals !== undefined) return this.globals;
    const scope: Scope = new Map();
    for (const instruction of this.file.globalArgs) this.apply(instruction, scope, new Map());
    this.globals = scope;
    return scope;
  }

  /** What an instruction at the offset sees; its own settings are not in force yet. */
  at(offset: number): ReadonlyMap<string, Variable> {
    const stage = stageAt(this.file, offset);
    if (stage === undefined) {
      const scope: Scope = new Map();
      for (const instruction of this.file.globalArgs) {
        if (instruction.range.end < offset) this.apply(instruction, scope, new Map());
      }
      return scope;
    }
    if (offset <= stage.from.range.end) return this.global();
    const scope = this.begin(stage, 0);
    for (const instruction of stage.instructions) {
      if (instruction.range.end >= offset) break;
      this.apply(instruction, scope, this.global());
    }
    return scope;
  }

  /** One variable as an instruction at the offset sees it, those that the builder knows included. */
  lookup(name: string, offset: number): Variable | undefined {
    const found = this.at(offset).get(name);
    if (found !== undefined) return found;
    const stage = stageAt(this.file, offset);
    const inFrom = stage === undefined || offset <= stage.from.range.end;
    const known = inFrom
      ? predefinedEntry(name) !== undefined
      : Object.hasOwn(PROXY_ARGUMENTS, name);
    return known ? { name, origin: 'predefined', value: undefined, pair: undefined } : undefined;
  }

  private begin(stage: Stage, depth: number): Scope {
    const { from } = stage;
    const name = from.image.text.includes('$') ? this.imageOf(from.image) : from.image.text;
    const base = this.graph.resolve({ kind: 'base', name, at: stage });
    return base === undefined || depth >= CHAIN_LIMIT
      ? new Map<string, Variable>()
      : new Map(this.final(base, depth + 1));
  }

  private final(stage: Stage, depth: number): Scope {
    const known = this.finals.get(stage);
    if (known !== undefined) return known;
    const scope = this.begin(stage, depth);
    for (const instruction of stage.instructions) this.apply(instruction, scope, this.global());
    this.finals.set(stage, scope);
    return scope;
  }

  private apply(
    instruction: Instruction,
    scope: Scope,
    globals: ReadonlyMap<string, Variable>,
  ): void {
    if (instruction.kind === 'ARG') {
      for (const pair of instruction.pairs) this.argument(pair, scope, globals);
    } else if (instruction.kind === 'ENV') {
      const before = new Map(instruction.pairs.map((pair) => [pair, this.valueOf(pair, scope)]));
      for (const [pair, value] of before) {
        const name = pair.name.text;
        scope.set(name, { name, origin: 'ENV', value, pair });
      }
    }
  }

  private argument(pair: Pair, scope: Scope, globals: ReadonlyMap<string, Variable>): void {
    const name = pair.name.text;
    // A variable of ENV hides an argument of its name.
    if (scope.get(name)?.origin === 'ENV') return;
    const given = globals.get(name);
    const value = pair.value === undefined ? given?.value : this.valueOf(pair, scope);
    scope.set(name, { name, origin: 'ARG', value, pair });
  }

  private valueOf({ value }: Pair, scope: ReadonlyMap<string, Variable>): string | undefined {
    return value === undefined ? undefined : this.expand(value, scope);
  }

  /** The word's value; undefined when a variable without a known value is in it, or it is too long. */
  private expand(word: Word, scope: ReadonlyMap<string, Variable>): string | undefined {
    if (word.text.length > VALUE_LIMIT) return undefined;
    const state = { open: false };
    const environment = (name: string): string | undefined => {
      const found = scope.get(name);
      if (found !== undefined && found.value === undefined) state.open = true;
      return found?.value;
    };
    const { value, problems } = expandWord(word, environment, {
      escape: this.file.directives.escapeCharacter,
      lines: this.file.lines,
    });
    return state.open || problems.length > 0 || value.length > VALUE_LIMIT ? undefined : value;
  }

  /**
   * Gives words' values as instructions of a stage at an offset see them, undefined when only the build knows one. For
   * those who ask from the stage's beginning to its end: offsets never go back.
   */
  valuesIn(stage: Stage): (word: Word, offset: number) => string | undefined {
    let scope: Scope | undefined;
    let next = 0;
    return (word, offset) => {
      if (!/[$"'\\`]/.test(word.text)) return word.text;
      scope ??= this.begin(stage, 0);
      for (; next < stage.instructions.length; next++) {
        const instruction = stage.instructions[next];
        if (instruction === undefined || instruction.range.end >= offset) break;
        this.apply(instruction, scope, this.global());
      }
      return this.expand(word, scope);
    };
  }

  /** The text of a FROM's image as far as the defaults tell it. */
  imageOf(word: Word): string {
    return this.expand(word, this.global()) ?? word.text;
  }
}

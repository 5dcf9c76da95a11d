/**
 * Owns the names of a file: where stages, variables and heredocs are defined and where they are used. Shell variables
 * that a script sets itself are not among them.
 */
import type { ScriptUse } from '../shell/scripts.ts';
import { visitShell } from '../shell/walk.ts';
import { StageGraph, stageReferences } from '../stages.ts';
import type { Dockerfile, Heredoc, Instruction, Pair, Range, Stage, Word } from '../syntax.ts';
import { type VariableReference, variablesIn, variablesOf } from '../tree/variables.ts';
import { heldBy } from './places.ts';

/** A thing with a name. */
export interface Named {
  readonly kind: 'stage' | 'variable' | 'heredoc';
  /** Stages in lower case; empty for a stage without a name. */
  readonly name: string;
  /** In the order of the file. */
  readonly occurrences: readonly Occurrence[];
  /** The stage that it names. */
  readonly stage: Stage | undefined;
}

/** A place of the file that names it. */
export interface Occurrence {
  readonly named: Named;
  readonly role: 'definition' | 'reference';
  /** Of the name alone. */
  readonly range: Range;
  /** False where the text is no name that could be changed (`--from=0`, the keyword of an unnamed stage). */
  readonly renamable: boolean;
  /** The instruction that holds it. */
  readonly instruction: Instruction;
}

export interface Names {
  /** Sorted by their places. */
  readonly occurrences: readonly Occurrence[];
}

interface Draft extends Named {
  readonly occurrences: Occurrence[];
}

/** Variables in force, innermost first. */
interface Scope {
  readonly own: Map<string, Draft>;
  readonly outer: Scope | undefined;
}

/** Longer chains of stages are not followed. */
const CHAIN_LIMIT = 200;

/** All names of a file. `scripts` are the readings of its shell texts (scriptsOf). */
export function namesOf(file: Dockerfile, scripts: readonly ScriptUse[]): Names {
  return new Collector(file, scripts).collect();
}

/** The occurrence at an offset, its ends included; the later one where two touch. */
export function occurrenceAt({ occurrences }: Names, offset: number): Occurrence | undefined {
  let low = 0;
  let high = occurrences.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((occurrences[middle]?.range.start ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  const found = occurrences[low - 1];
  return found !== undefined && offset <= found.range.end ? found : undefined;
}

class Collector {
  private readonly file: Dockerfile;
  private readonly all: Occurrence[] = [];
  private readonly graph: StageGraph;
  private readonly scripts = new Map<Instruction, ScriptUse>();
  private readonly globals: Scope = { own: new Map(), outer: undefined };
  /** By name: stages that declare the same argument share the value that a build gives it. */
  private readonly arguments = new Map<string, Draft>();
  private readonly ends = new Map<Stage, { scope: Scope; depth: number }>();

  constructor(file: Dockerfile, scripts: readonly ScriptUse[]) {
    this.file = file;
    this.graph = new StageGraph(file.stages);
    for (const use of scripts) this.scripts.set(use.instruction, use);
  }

  collect(): Names {
    for (const instruction of this.file.globalArgs) this.instruction(instruction, this.globals);
    const stages = this.stages();
    for (const stage of this.file.stages) this.stage(stage, stages);
    return { occurrences: this.all.sort((a, b) => a.range.start - b.range.start) };
  }

  private stages(): Map<Stage, Draft> {
    const drafts = new Map<Stage, Draft>();
    for (const stage of this.file.stages) {
      const { from, name = '' } = stage;
      const draft: Draft = { kind: 'stage', name, occurrences: [], stage };
      const range = from.name?.range ?? from.keyword.range;
      this.add(draft, { role: 'definition', range, renamable: from.name !== undefined }, from);
      drafts.set(stage, draft);
    }
    return drafts;
  }

  private stage(stage: Stage, stages: ReadonlyMap<Stage, Draft>): void {
    for (const { kind, word, instruction } of stageReferences(stage)) {
      const used = this.graph.resolve({ kind, name: word.text, at: stage });
      const draft = used === undefined ? undefined : stages.get(used);
      if (draft === undefined || word.text === '') continue;
      const renamable = word.text.toLowerCase() === used?.name;
      this.add(draft, { role: 'reference', range: word.range, renamable }, instruction);
    }
    this.uses(variablesOf(stage.from, this.file), stage.from, this.globals);
    const { scope, depth } = this.begin(stage);
    const deferred: Scope = { own: new Map(), outer: scope };
    for (const instruction of stage.instructions) {
      const inner = heldBy(instruction);
      if (inner !== undefined) this.instruction(inner, inner === instruction ? scope : deferred);
    }
    this.ends.set(stage, { scope, depth });
  }

  /** A stage begins with the variables of its base, where that is a stage of this file. */
  private begin(stage: Stage): { scope: Scope; depth: number } {
    const name = stage.from.image.text;
    const base = this.graph.resolve({ kind: 'base', name, at: stage });
    const end = base === undefined ? undefined : this.ends.get(base);
    const outer = end !== undefined && end.depth < CHAIN_LIMIT ? end.scope : undefined;
    return {
      scope: { own: new Map(), outer },
      depth: outer === undefined ? 0 : (end?.depth ?? 0) + 1,
    };
  }

  private instruction(instruction: Instruction, scope: Scope): void {
    const { kind } = instruction;
    if (kind === 'ARG' || kind === 'ENV') {
      // ARG reads its pairs one after the other, ENV all of them with the old values.
      for (const pair of instruction.pairs) {
        if (pair.value !== undefined) this.word(pair.value, instruction, scope);
        if (kind === 'ARG') this.define(pair, instruction, scope);
      }
      if (kind === 'ENV')
        for (const pair of instruction.pairs) this.define(pair, instruction, scope);
      return;
    }
    this.uses(variablesOf(instruction, this.file), instruction, scope);
    if ('heredocs' in instruction) {
      for (const heredoc of instruction.heredocs) this.heredoc(heredoc, instruction);
    }
    this.script(instruction, scope);
  }

  private word(word: Word, instruction: Instruction, scope: Scope): void {
    const { escapeCharacter } = this.file.directives;
    this.uses(variablesIn(word, escapeCharacter), instruction, scope);
  }

  private uses(
    references: readonly VariableReference[],
    instruction: Instruction,
    scope: Scope,
  ): void {
    for (const { name, nameRange, inner } of references) {
      this.use(name, nameRange, instruction, scope);
      this.uses(inner, instruction, scope);
    }
  }

  private use(name: string, range: Range, instruction: Instruction, scope: Scope): void {
    const draft = find(scope, name);
    if (draft !== undefined)
      this.add(draft, { role: 'reference', range, renamable: true }, instruction);
  }

  private define({ name }: Pair, instruction: Instruction, scope: Scope): void {
    if (name.text === '' || name.text.includes('$')) return;
    const isArgument = instruction.kind === 'ARG' && scope !== this.globals;
    const inForce = find(scope, name.text);
    const declared = isArgument
      ? (find(this.globals, name.text) ?? this.arguments.get(name.text))
      : undefined;
    const draft: Draft = inForce ??
      declared ?? {
        kind: 'variable',
        name: name.text,
        occurrences: [],
        stage: undefined,
      };
    if (isArgument && inForce === undefined) this.arguments.set(name.text, draft);
    scope.own.set(name.text, draft);
    this.add(draft, { role: 'definition', range: name.range, renamable: true }, instruction);
  }

  /** The mark behind `<<` and the line that ends the body. */
  private heredoc(heredoc: Heredoc, instruction: Instruction): void {
    const { text } = this.file;
    const { name, range, contentRange, chomp } = heredoc;
    const written = text.slice(range.start, range.end).lastIndexOf(name);
    if (written < 0) return;
    const draft: Draft = { kind: 'heredoc', name, occurrences: [], stage: undefined };
    const start = range.start + written;
    const mark = { start, end: start + name.length };
    this.add(draft, { role: 'definition', range: mark, renamable: true }, instruction);
    let end = contentRange.end;
    if (chomp) while (text.charCodeAt(end) === 9) end++;
    if (
      contentRange.end > range.end &&
      text.startsWith(name, end) &&
      /^\r*(\n|$)/.test(text.slice(end + name.length, end + name.length + 3))
    ) {
      const close = { start: end, end: end + name.length };
      this.add(draft, { role: 'reference', range: close, renamable: true }, instruction);
    }
  }

  /** Variables in shell texts, up to where the script sets one of that name itself. */
  private script(instruction: Instruction, scope: Scope): void {
    const script = this.scripts.get(instruction)?.script;
    if (script === undefined) return;
    const shadowed = new Map<string, number>();
    const shadow = (name: string, end: number): void => {
      shadowed.set(name, Math.min(end, shadowed.get(name) ?? end));
    };
    const uses: { name: string; range: Range }[] = [];
    const mounts = instruction.kind === 'RUN' ? instruction.mounts : [];
    for (const { env } of mounts) if (env !== undefined) shadow(env.text, 0);
    visitShell(script, {
      command: (command) => {
        if (command.kind === 'simple') {
          for (const { name, range } of command.assignments) shadow(name, range.end);
        } else if ((command.kind === 'for' || command.kind === 'select') && command.variable) {
          shadow(command.variable.text, command.variable.range.end);
        }
      },
      part: (part) => {
        if (part.kind === 'parameter') uses.push({ name: part.name, range: part.nameRange });
        else if (part.kind === 'arithmetic') {
          for (const token of part.tokens) {
            if (token.kind !== 'name' || token.access === 'index') continue;
            if (token.access !== 'read') shadow(token.text, token.range.end);
            if (token.access !== 'write') uses.push({ name: token.text, range: token.range });
          }
        }
      },
    });
    for (const { name, range } of uses) {
      if (range.end <= (shadowed.get(name) ?? Infinity)) this.use(name, range, instruction, scope);
    }
  }

  private add(
    named: Draft,
    place: Pick<Occurrence, 'role' | 'range' | 'renamable'>,
    instruction: Instruction,
  ): void {
    const occurrence = { named, ...place, instruction };
    named.occurrences.push(occurrence);
    this.all.push(occurrence);
  }
}

function find(scope: Scope, name: string): Draft | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const found = at.own.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

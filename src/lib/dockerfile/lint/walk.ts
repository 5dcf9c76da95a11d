/**
 * Walks a file once and calls the rules, by kind of instruction. What the rules say of an instruction by itself is kept
 * by its text and not worked out again; a rule that looks further than its instruction is asked again each time.
 */
import type { Dockerfile, Instruction, Problem, Range, Severity, Stage, Word } from '../syntax.ts';
import { moveRange } from '../tree/move.ts';
import { linesAround } from '../../text/lines.ts';
import { Facts } from './analysis/facts.ts';
import {
  type Judgement,
  keyOf,
  type LintMemory,
  shifted,
  shiftedFix,
  type Step,
} from './memory.ts';
import { type Hook, type Plan, planFor } from './plan.ts';
import type { LintFinding, LintOptions, LintProblem, Rule, Scope } from './rule.ts';
import { execCalls } from './shell/collect.ts';
import { readScript } from './shell/read.ts';
import type { Script, ShellCall } from './shell/script.ts';
import { type Shells, shellsOf } from './shell/shells.ts';
import type { ShellInForce } from '../shell/shells.ts';
import { ShellShelves } from '../shell/shelves.ts';
import type { Suppressions } from './suppress.ts';
import { ruleOf } from './table.ts';
import { WatchedFile, WatchedOptions } from './watched.ts';

/** More findings than this in one file help nobody. */
const LIMIT = 2000;

/** Instructions between two points at which the judging may pause. */
const STRIDE = 8;

export class Walk implements Scope {
  readonly file: Dockerfile;
  readonly options: LintOptions;
  deferred = false;
  private readonly whole: Dockerfile;
  private readonly known: Facts;
  /** The stage that is judged, and how many have been begun. */
  private present: Stage | undefined;
  private entered = 0;
  private rule: Rule | undefined;
  private readonly plan: Plan;
  private readonly suppressions: Suppressions;
  /** For what is judged now, and for what ONBUILD defers; undefined where nothing is kept. */
  private readonly shelves: Readonly<Record<'now' | 'later', ShellShelves<Judgement>>> | undefined;
  private readonly found: LintProblem[] = [];
  private readonly shells: Shells;
  private readonly scripts = new Map<Instruction, Script | undefined>();
  /** The instruction that is judged, and what was said of it so far. */
  private judged: Instruction | undefined;
  private steps: Step[] = [];
  private start = 0;
  /** How often a hook has looked at more than its instruction. */
  private looks = 0;

  constructor(
    file: Dockerfile,
    options: LintOptions,
    { suppressions, memory }: { suppressions: Suppressions; memory: LintMemory | undefined },
  ) {
    const look = (): void => {
      this.looks++;
    };
    this.whole = file;
    this.file = new WatchedFile(file, look);
    this.options = new WatchedOptions(options, look);
    this.suppressions = suppressions;
    this.plan = planFor(suppressions.severities);
    this.shelves =
      memory && shelvesIn(memory, surroundingsOf(file, keyOf(options, this.plan.wanted)));
    this.known = new Facts(file, options.images);
    this.shells = shellsOf(file, this.known);
  }

  get facts(): Facts {
    this.looks++;
    return this.known;
  }

  get stage(): Stage | undefined {
    this.looks++;
    return this.present;
  }

  expandedWords(instruction: Instruction): readonly Word[] {
    if (instruction !== this.judged) this.looks++;
    return this.known.expandedWords(instruction);
  }

  scriptOf(instruction: Instruction): Script | undefined {
    if (instruction !== this.judged) this.looks++;
    if (this.scripts.has(instruction)) return this.scripts.get(instruction);
    const script = readScript(instruction, this.whole, this.shellAt(instruction));
    this.scripts.set(instruction, script);
    return script;
  }

  readonly report = (finding: LintFinding): void => {
    const { rule } = this;
    if (rule === undefined) return;
    if (this.judged !== undefined)
      this.steps.push({ kind: 'found', rule, finding: shifted(finding, -this.start) });
    this.add(rule, finding);
  };

  /** Judges the file, some instructions at a time. */
  *judge(): Generator<undefined, void, undefined> {
    const { whole, plan } = this;
    for (const problem of whole.problems) this.takeParsed(problem);
    this.call(plan.file, whole);
    for (let from = 0; from < whole.instructions.length; from += STRIDE) {
      if (this.found.length >= LIMIT) break;
      yield undefined;
      this.judgeSome(whole.instructions.slice(from, from + STRIDE));
    }
    this.rule = undefined;
    for (const finding of this.suppressions.findings) this.add(finding.rule, finding);
  }

  private judgeSome(instructions: readonly Instruction[]): void {
    for (const instruction of instructions) {
      if (instruction.kind === 'FROM') this.enterStage();
      this.visit(instruction);
      if (instruction.kind !== 'ONBUILD' || instruction.instruction === undefined) continue;
      this.deferred = true;
      this.visit(instruction.instruction);
      this.deferred = false;
    }
  }

  private enterStage(): void {
    this.present = this.whole.stages[this.entered++];
    this.scripts.clear();
    if (this.present !== undefined) this.call(this.plan.stage, this.present);
  }

  problems(): readonly LintProblem[] {
    return this.found.sort((a, b) => a.range.start.offset - b.range.start.offset);
  }

  private shellAt(instruction: Instruction): ShellInForce {
    return this.shells.at(instruction, this.present);
  }

  private visit(instruction: Instruction): void {
    const { shelves, whole, deferred } = this;
    if (shelves === undefined) {
      this.ask(instruction);
      return;
    }
    const shell = hasShell(instruction) ? this.shellAt(instruction) : undefined;
    const shelf = shelves[deferred ? 'later' : 'now'].for(shell);
    const lines = linesAround(whole.text, instruction.range);
    const text = textOf(whole.text.slice(lines.start, lines.end), instruction);
    const known = shelf.find(text);
    if (known !== undefined) {
      this.repeat(known, instruction, lines.start);
      return;
    }
    this.judged = instruction;
    this.start = lines.start;
    this.steps = [];
    this.ask(instruction);
    this.judged = undefined;
    if (this.found.length < LIMIT) shelf.keep(text, this.steps);
  }

  /** Asks all rules about an instruction. */
  private ask(instruction: Instruction): void {
    const { plan } = this;
    for (const hook of plan.byKind.get(instruction.kind) ?? [])
      if (this.hasLooked(hook, instruction)) this.steps.push({ kind: 'instruction', hook });
    const script = this.readOnce(instruction);
    if (script !== undefined) {
      for (const hook of plan.script)
        if (this.hasLooked(hook, script)) this.steps.push({ kind: 'script', hook });
    }
    if (instruction.kind !== 'RUN') return;
    for (const [index, call] of (script?.calls ?? execCalls(instruction)).entries()) {
      const named = plan.callsByName.get(call.name);
      for (const hook of plan.anyCall)
        if (this.hasLooked(hook, call)) this.steps.push({ kind: 'call', hook, index });
      for (const hook of named ?? [])
        if (this.hasLooked(hook, call)) this.steps.push({ kind: 'call', hook, index });
    }
  }

  /** Calls a hook; when it looked further than its instruction, what it found is not to be kept. */
  private hasLooked<Node>(hook: Hook<Node>, node: Node): boolean {
    const { length } = this.steps;
    const before = this.looks;
    this.callOne(hook, node);
    if (this.looks === before) return false;
    this.steps.length = length;
    return true;
  }

  /** Says again what was said of an instruction of the same text, and asks those who had looked further. */
  private repeat(judgement: Judgement, instruction: Instruction, start: number): void {
    let calls: readonly ShellCall[] | undefined;
    for (const step of judgement) {
      if (step.kind === 'found') this.add(step.rule, step.finding, start);
      else if (step.kind === 'instruction') this.callOne(step.hook, instruction);
      else {
        const script = this.readOnce(instruction);
        if (step.kind === 'script') {
          if (script !== undefined) this.callOne(step.hook, script);
          continue;
        }
        calls ??= script?.calls ?? execCalls(instruction);
        const call = calls[step.index];
        if (call !== undefined) this.callOne(step.hook, call);
      }
    }
  }

  /** The script of an instruction; one that was read for a rule of the whole stage is not read again. */
  private readOnce(instruction: Instruction): Script | undefined {
    return hasShell(instruction) ? this.scriptOf(instruction) : undefined;
  }

  private call<Node>(hooks: readonly Hook<Node>[], node: Node): void {
    for (const hook of hooks) this.callOne(hook, node);
  }

  private callOne<Node>({ rule, visit }: Hook<Node>, node: Node): void {
    if (this.found.length >= LIMIT) return;
    this.rule = rule;
    visit(node, this);
  }

  /** `by`: what is still to be added to the finding's offsets. */
  private add(rule: Rule, finding: LintFinding, by = 0): void {
    if (this.found.length >= LIMIT) return;
    const { message, severity } = finding;
    const range = by === 0 ? finding.range : moveRange(finding.range, by);
    const fix = by === 0 || finding.fix === undefined ? finding.fix : shiftedFix(finding.fix, by);
    const chosen = this.severityOf(rule, severity ?? rule.severity, range);
    if (chosen === undefined) return;
    this.found.push({
      code: rule.id,
      message: oneLine(message),
      range: this.whole.lines.span(range),
      severity: chosen,
      ...(fix === undefined ? {} : { fix }),
      ...(rule.tag === undefined ? {} : { tag: rule.tag }),
    });
  }

  private takeParsed(problem: Problem): void {
    const rule = ruleOf(problem.code);
    const range = { start: problem.range.start.offset, end: problem.range.end.offset };
    // What keeps a file from being built is shown whatever a comment says.
    const chosen =
      rule === undefined || problem.severity === 'error'
        ? problem.severity
        : this.severityOf(rule, problem.severity, range);
    if (chosen === undefined) return;
    const fix = rule?.repair?.(problem, this.whole);
    this.found.push({
      ...problem,
      message: oneLine(problem.message),
      severity: chosen,
      ...(fix === undefined ? {} : { fix }),
      ...(rule?.tag === undefined ? {} : { tag: rule.tag }),
    });
  }

  /** The severity to report with; undefined when the finding is ignored. */
  private severityOf(rule: Rule, own: Severity, range: Range): Severity | undefined {
    const { suppressions } = this;
    if (suppressions.ignores(rule, range)) return undefined;
    const chosen = suppressions.severities.get(rule.id);
    if (chosen === 'off') return undefined;
    return chosen ?? (rule.optional === true ? undefined : own);
  }
}

/** What a judgement depends on beside its text and its shell. */
function surroundingsOf({ text, directives }: Dockerfile, key: string): string {
  const breaks = text[text.indexOf('\n') - 1] === '\r' ? 'crlf' : 'lf';
  return [key, directives.escapeCharacter, breaks].join('\0');
}

function shelvesIn(
  memory: LintMemory,
  surroundings: string,
): {
  readonly now: ShellShelves<Judgement>;
  readonly later: ShellShelves<Judgement>;
} {
  return {
    now: new ShellShelves(memory, surroundings),
    later: new ShellShelves(memory, `onbuild\0${surroundings}`),
  };
}

function hasShell({ kind }: Instruction): boolean {
  return kind === 'RUN' || kind === 'CMD' || kind === 'ENTRYPOINT' || kind === 'HEALTHCHECK';
}

/** An instruction's lines with the comments above it, which belong to it. */
function textOf(lines: string, { comments }: Instruction): string {
  return comments.length === 0 ? lines : [lines, ...comments].join('\0');
}

/** Longer messages are cut: they quote a file that may have anything in it. */
const MESSAGE_LIMIT = 500;

function oneLine(message: string): string {
  const line = /[\r\n]/.test(message) ? message.replaceAll(/\s*[\r\n]+\s*/g, ' ') : message;
  return line.length > MESSAGE_LIMIT ? `${line.slice(0, MESSAGE_LIMIT)}…` : line;
}

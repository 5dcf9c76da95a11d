/**
 * The linter's entry: a parsed Dockerfile and options in, problems out. Walks the file once and calls the rules by kind of
 * instruction; adds the parser's own problems with their fixes; leaves out what comments and options ignore. Pure.
 */
import { INSTRUCTION_KINDS } from '../statement.ts';
import type { Dockerfile, Instruction, Problem, Range, Severity, Stage } from '../syntax.ts';
import { Facts } from './analysis/facts.ts';
import type { Checks, LintFinding, LintOptions, LintProblem, Rule, Scope } from './rule.ts';
import { execCalls } from './shell/collect.ts';
import { readScript, type ScriptMemory } from './shell/read.ts';
import { type Shells, shellsOf } from './shell/shells.ts';
import type { Script, ShellCall } from './shell/script.ts';
import { readSuppressions, type Suppressions } from './suppress.ts';
import { RULES, ruleOf } from './table.ts';

export const DEFAULT_OPTIONS: LintOptions = {
  severities: new Map(),
  trustedRegistries: [],
  labelSchema: new Map(),
  strictLabels: false,
  disableIgnorePragma: false,
  context: undefined,
  images: undefined,
};

export interface LintResult {
  /** In the order of the file. */
  readonly problems: readonly LintProblem[];
  /** `# check=error=true`: any problem is to fail the run. */
  readonly failOnAny: boolean;
}

/** More findings than this in one file help nobody. */
const LIMIT = 2000;

/** Lints a parsed file. Never throws, whatever the file. `memory` keeps what the next version of the file can use. */
export function lintDockerfile(
  file: Dockerfile,
  options: LintOptions = DEFAULT_OPTIONS,
  memory?: ScriptMemory,
): LintResult {
  const steps = lintInSteps(file, options, memory);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** As `lintDockerfile`, an instruction at a time, for those who must not hold others up. It may be left unfinished. */
export function* lintInSteps(
  file: Dockerfile,
  options: LintOptions = DEFAULT_OPTIONS,
  memory?: ScriptMemory,
): Generator<undefined, LintResult, undefined> {
  const suppressions = readSuppressions(file, options);
  memory?.begin();
  const walk = new Walk(file, options, { suppressions, memory });
  yield* walk.steps();
  return { problems: walk.problems(), failOnAny: suppressions.failOnAny };
}

type Kind = Instruction['kind'];

interface Hook<Node> {
  readonly rule: Rule;
  readonly visit: (node: Node, scope: Scope) => void;
}

/** The rules' hooks by what they want to see. */
interface Plan {
  readonly file: readonly Hook<Dockerfile>[];
  readonly stage: readonly Hook<Stage>[];
  readonly byKind: ReadonlyMap<Kind, readonly Hook<Instruction>[]>;
  readonly script: readonly Hook<Script>[];
  readonly anyCall: readonly Hook<ShellCall>[];
  readonly callsByName: ReadonlyMap<string, readonly Hook<ShellCall>[]>;
}

const KINDS = [...INSTRUCTION_KINDS, 'UNKNOWN'] as const;

function planOf(rules: readonly Rule[]): Plan {
  const hooksOf = <Node>(
    pick: (checks: Checks) => ((node: Node, scope: Scope) => void) | undefined,
  ): Hook<Node>[] =>
    rules.flatMap((rule) => {
      const visit = pick(rule.checks);
      return visit === undefined ? [] : [{ rule, visit }];
    });
  const byKind = new Map<Kind, Hook<Instruction>[]>();
  for (const kind of KINDS) {
    // The hook of a kind is only called with instructions of that kind.
    const own = hooksOf((checks) => checks[kind] as Hook<Instruction>['visit'] | undefined);
    byKind.set(kind, [...own, ...hooksOf((checks) => checks.every)]);
  }
  const calls = hooksOf((checks) => checks.call);
  const callsByName = new Map<string, Hook<ShellCall>[]>();
  for (const hook of calls) {
    for (const name of hook.rule.checks.calls ?? [])
      callsByName.set(name, [...(callsByName.get(name) ?? []), hook]);
  }
  return {
    file: hooksOf((checks) => checks.file && ((node, scope) => checks.file?.(node, scope))),
    stage: hooksOf((checks) => checks.stage),
    byKind,
    script: hooksOf((checks) => checks.script),
    anyCall: calls.filter(({ rule }) => rule.checks.calls === undefined),
    callsByName,
  };
}

const FULL_PLAN = planOf(RULES.filter(({ optional }) => optional !== true));

/** The plan for some options: all rules but the optional ones, which a configuration has to ask for. */
function planFor(severities: Suppressions['severities']): Plan {
  const wanted = RULES.filter((rule) => rule.optional === true && isOn(severities.get(rule.id)));
  if (wanted.length === 0) return FULL_PLAN;
  return planOf(RULES.filter((rule) => rule.optional !== true || wanted.includes(rule)));
}

function isOn(severity: Severity | 'off' | undefined): boolean {
  return severity !== undefined && severity !== 'off';
}

class Walk implements Scope {
  readonly file: Dockerfile;
  readonly options: LintOptions;
  readonly facts: Facts;
  stage: Stage | undefined;
  deferred = false;
  private rule: Rule | undefined;
  private readonly plan: Plan;
  private readonly suppressions: Suppressions;
  private readonly memory: ScriptMemory | undefined;
  private readonly found: LintProblem[] = [];
  private readonly shells: Shells;
  private readonly scripts = new Map<Instruction, Script | undefined>();

  constructor(
    file: Dockerfile,
    options: LintOptions,
    { suppressions, memory }: { suppressions: Suppressions; memory: ScriptMemory | undefined },
  ) {
    this.memory = memory;
    this.file = file;
    this.options = options;
    this.suppressions = suppressions;
    this.plan = planFor(suppressions.severities);
    this.facts = new Facts(file, options.images);
    this.shells = shellsOf(file, this.facts);
  }

  *steps(): Generator<undefined, void, undefined> {
    const { file, plan } = this;
    for (const problem of file.problems) this.takeParsed(problem);
    this.call(plan.file, file);
    let at = 0;
    for (const instruction of file.instructions) {
      yield undefined;
      if (instruction.kind === 'FROM') {
        this.stage = file.stages[at++];
        this.scripts.clear();
        if (this.stage !== undefined) this.call(plan.stage, this.stage);
      }
      this.visit(instruction);
      if (instruction.kind !== 'ONBUILD' || instruction.instruction === undefined) continue;
      this.deferred = true;
      this.visit(instruction.instruction);
      this.deferred = false;
    }
    this.rule = undefined;
    for (const finding of this.suppressions.findings) this.add(finding.rule, finding);
  }

  problems(): readonly LintProblem[] {
    return this.found.sort((a, b) => a.range.start.offset - b.range.start.offset);
  }

  readonly report = (finding: LintFinding): void => {
    if (this.rule !== undefined) this.add(this.rule, finding);
  };

  scriptOf(instruction: Instruction): Script | undefined {
    const known = this.scripts.get(instruction);
    if (known !== undefined || this.scripts.has(instruction)) return known;
    const script = this.read(instruction);
    this.scripts.set(instruction, script);
    return script;
  }

  private read(instruction: Instruction): Script | undefined {
    const shell = this.shells.at(instruction, this.stage);
    const { memory, file } = this;
    return memory === undefined
      ? readScript(instruction, file, shell)
      : memory.read(instruction, file, shell);
  }

  private visit(instruction: Instruction): void {
    const { plan } = this;
    this.call(plan.byKind.get(instruction.kind) ?? [], instruction);
    const script = this.scripts.get(instruction) ?? this.read(instruction);
    if (script !== undefined) this.call(plan.script, script);
    if (instruction.kind !== 'RUN') return;
    for (const each of script?.calls ?? execCalls(instruction)) {
      this.call(plan.anyCall, each);
      const named = plan.callsByName.get(each.name);
      if (named !== undefined) this.call(named, each);
    }
  }

  private call<Node>(hooks: readonly Hook<Node>[], node: Node): void {
    for (const { rule, visit } of hooks) {
      if (this.found.length >= LIMIT) return;
      this.rule = rule;
      visit(node, this);
    }
  }

  private add(rule: Rule, { message, range, fix, severity }: LintFinding): void {
    if (this.found.length >= LIMIT) return;
    const chosen = this.severityOf(rule, severity ?? rule.severity, range);
    if (chosen === undefined) return;
    this.found.push({
      code: rule.id,
      message: oneLine(message),
      range: this.file.lines.span(range),
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
    const fix = rule?.repair?.(problem, this.file);
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

/** Longer messages are cut: they quote a file that may have anything in it. */
const MESSAGE_LIMIT = 500;

function oneLine(message: string): string {
  const line = /[\r\n]/.test(message) ? message.replaceAll(/\s*[\r\n]+\s*/g, ' ') : message;
  return line.length > MESSAGE_LIMIT ? `${line.slice(0, MESSAGE_LIMIT)}…` : line;
}

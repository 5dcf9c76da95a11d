/** Owns which rules are called with what: their hooks by kind of instruction, for all rules that some options want. */
import { INSTRUCTION_KINDS } from '../statement.ts';
import type { Dockerfile, Instruction, Severity, Stage } from '../syntax.ts';
import type { Checks, Rule, Scope } from './rule.ts';
import type { Script, ShellCall } from './shell/script.ts';
import type { Suppressions } from './suppress.ts';
import { RULES } from './table.ts';

type Kind = Instruction['kind'];

export interface Hook<Node> {
  readonly rule: Rule;
  readonly visit: (node: Node, scope: Scope) => void;
}

/** The rules' hooks by what they want to see. */
export interface Plan {
  /** The optional rules in it. */
  readonly wanted: readonly Rule[];
  readonly file: readonly Hook<Dockerfile>[];
  readonly stage: readonly Hook<Stage>[];
  readonly byKind: ReadonlyMap<Kind, readonly Hook<Instruction>[]>;
  readonly script: readonly Hook<Script>[];
  readonly anyCall: readonly Hook<ShellCall>[];
  readonly callsByName: ReadonlyMap<string, readonly Hook<ShellCall>[]>;
}

const KINDS = [...INSTRUCTION_KINDS, 'UNKNOWN'] as const;

function planOf(rules: readonly Rule[], wanted: readonly Rule[] = []): Plan {
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
    wanted,
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
export function planFor(severities: Suppressions['severities']): Plan {
  const wanted = RULES.filter((rule) => rule.optional === true && isOn(severities.get(rule.id)));
  if (wanted.length === 0) return FULL_PLAN;
  return planOf(
    RULES.filter((rule) => rule.optional !== true || wanted.includes(rule)),
    wanted,
  );
}

function isOn(severity: Severity | 'off' | undefined): boolean {
  return severity !== undefined && severity !== 'off';
}

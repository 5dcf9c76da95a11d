/** UnassignedVariable: a variable of a script gets a value in it, or from ARG or ENV. */
import { BUILT_IN_NAMES } from '../../analysis/facts.ts';
import type { Script } from '../../shell/script.ts';
import type { Rule, Scope } from '../../rule.ts';

export const unassignedVariable: Rule = {
  id: 'UnassignedVariable',
  aliases: ['SC2154'],
  severity: 'warning',
  summary: 'A variable has a value before it is used',
  fixable: false,
  checks: { script: check },
};

function check(script: Script, scope: Scope): void {
  if (!/\$\{?[a-z_]/.test(script.tree.text)) return;
  // What is read in, or evaluated, may set anything; CMD and the like run where more is set.
  if (
    script.instruction.kind !== 'RUN' ||
    script.calls.some(({ name }) => name === '.' || name === 'source' || name === 'eval')
  )
    return;
  let known: Set<string> | undefined;
  for (const { part, role, word } of script.parts) {
    // The dollar of these is the mistake, and reported as one.
    const assigned = role === 'name' && /^\$\w+=/.test(word?.word.text ?? '');
    if (role === 'loop-variable' || assigned) continue;
    if (part.kind !== 'parameter' || part.operator !== '' || part.prefix !== '') continue;
    // Small letters: names in capitals may come from the base image.
    if (!/^[a-z_][a-z0-9_]*$/.test(part.name) || part.name === '_') continue;
    known ??= namesOf(script);
    if (known.has(part.name) || isDeclared(part.name, scope)) continue;
    scope.report({
      message: `${part.name} gets no value in this RUN, nor from ARG or ENV`,
      range: part.range,
    });
    known.add(part.name);
  }
}

function namesOf({ commands, calls, parts }: Script): Set<string> {
  const names = new Set(BUILT_IN_NAMES);
  for (const command of commands) {
    if (command.kind === 'simple') for (const { name } of command.assignments) names.add(name);
    if (
      (command.kind === 'for' || command.kind === 'select') &&
      command.variable?.value !== undefined
    )
      names.add(command.variable.value);
  }
  // read, export, declare, printf -v, getopts: every plain word of theirs may be a name.
  for (const { name, arguments: words } of calls) {
    if (
      !/^(read|export|local|declare|typeset|readonly|printf|getopts|mapfile|readarray|let|unset)$/.test(
        name,
      )
    )
      continue;
    for (const { text } of words) names.add(/^\w+/.exec(text)?.[0] ?? '');
  }
  for (const { part } of parts) {
    if (part.kind === 'parameter' && /^:?=$/.test(part.operator)) names.add(part.name);
    if (part.kind === 'arithmetic')
      for (const [name] of part.text.matchAll(/[A-Za-z_]\w*/g)) names.add(name);
  }
  return names;
}

function isDeclared(name: string, { stage, facts }: Scope): boolean {
  return (
    stage !== undefined &&
    facts.chainOf(stage).some((each) => facts.summaryOf(each).names.has(name))
  );
}

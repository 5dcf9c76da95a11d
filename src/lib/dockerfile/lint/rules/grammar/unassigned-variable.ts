/** UnassignedVariable: a variable of a script gets a value in it, or from ARG or ENV. */
import type { ArithmeticPart, Condition, ShellWord } from '../../../shell/syntax.ts';
import type { Range } from '../../../syntax.ts';
import { BUILT_IN_NAMES } from '../../analysis/facts.ts';
import { nearestFix } from '../../analysis/near.ts';
import type { Rule, Scope } from '../../rule.ts';
import type { PlacedPart, Script, ShellCall } from '../../shell/script.ts';

export const unassignedVariable: Rule = {
  id: 'UnassignedVariable',
  aliases: ['SC2154'],
  severity: 'warning',
  summary: 'A variable has a value before it is used',
  fixable: true,
  checks: { script: check },
};

function check(script: Script, scope: Scope): void {
  if (!/\$|\(\(/.test(script.tree.text)) return;
  // What is read in, or evaluated, may set anything; CMD and the like run where more is set.
  if (
    script.instruction.kind !== 'RUN' ||
    script.calls.some(({ name }) => name === '.' || name === 'source' || name === 'eval')
  )
    return;
  let known: Set<string> | undefined;
  let told = 0;
  for (const placed of script.parts) {
    for (const use of usesOf(placed)) {
      const { name, range, nameRange: place = range } = use;
      // Names in capitals may come from the base image.
      if (!/^[A-Za-z_]\w*$/.test(name) || !/[a-z]/.test(name)) continue;
      known ??= namesOf(script);
      if (known.has(name) || isDeclared(name, scope)) continue;
      const message = `${name} gets no value in this RUN, nor from ARG or ENV`;
      // Of short names too many are near.
      const near = name.length < 3 || told++ >= NEAR_LIMIT ? [] : candidates(known, scope);
      scope.report({ message, range, ...nearestFix(name, place, near) });
      known.add(name);
    }
  }
}

/** Beyond so many findings in a script nobody looks for what was meant. */
const NEAR_LIMIT = 20;

interface Use {
  readonly name: string;
  readonly range: Range;
  /** The name alone, where that is less. */
  readonly nameRange?: Range;
}

function usesOf({ part, role, word }: PlacedPart): readonly Use[] {
  if (part.kind === 'arithmetic') return namesIn(part);
  if (part.kind !== 'parameter' || isGuard(part.operator)) return [];
  // The dollar of these is the mistake, and reported as one.
  const isAssigned = role === 'name' && /^\$\{?\w+\}?=/.test(word?.word.text ?? '');
  return role === 'loop-variable' || isAssigned ? [] : [part];
}

/** `${name:-word}` and the like say what holds without a value. */
function isGuard(operator: string): boolean {
  return /^:?[-=?+]$/.test(operator);
}

/** The variables that arithmetic reads without a dollar; one in brackets may be the key of a table. */
function namesIn({ tokens }: ArithmeticPart): readonly Use[] {
  return tokens.flatMap((token) =>
    token.kind === 'name' && (token.access === 'read' || token.access === 'both')
      ? [{ name: token.text, range: token.range }]
      : [],
  );
}

const NAMING = new Set(
  'read export local declare typeset readonly printf getopts mapfile readarray let'.split(' '),
);

function namesOf({ commands, calls, parts }: Script): Set<string> {
  const names = new Set(BUILT_IN_NAMES);
  for (const command of commands) {
    if (command.kind === 'simple' && command.name === undefined)
      for (const { name } of command.assignments) names.add(name);
    if (command.kind === 'for' || command.kind === 'select')
      names.add(command.variable?.value ?? '');
    if (command.kind === 'test') addTested(command.expression, names);
  }
  for (const call of calls) {
    // read, export, declare, printf -v, getopts: every plain word of theirs may be a name.
    if (NAMING.has(call.name))
      for (const { text } of call.arguments) names.add(/^\w+/.exec(text)?.[0] ?? '');
    if (call.name === '[' || call.name === 'test') addOperands(call, names);
  }
  for (const { part } of parts) {
    if (part.kind === 'parameter' && isGuard(part.operator)) names.add(part.name);
    if (part.kind !== 'arithmetic') continue;
    for (const token of part.tokens)
      if (token.kind === 'name' && /write|both/.test(token.access)) names.add(token.text);
  }
  return names;
}

/** A variable whose being empty is asked for may well have no value. */
function addTested(condition: Condition | undefined, names: Set<string>): void {
  switch (condition?.kind) {
    case 'and':
    case 'or':
      for (const part of condition.parts) addTested(part, names);
      break;
    case 'not':
      addTested(condition.operand, names);
      break;
    case 'group':
      addTested(condition.condition, names);
      break;
    case 'word':
      addVariables(condition.word, names);
      break;
    case 'unary':
      if (/^-[nz]$/.test(condition.operator.text)) addVariables(condition.operand, names);
      if (condition.operator.text === '-v') names.add(condition.operand?.text ?? '');
      break;
    default:
  }
}

function addOperands({ name, arguments: words }: ShellCall, names: Set<string>): void {
  const operands = name === '[' ? words.slice(0, -1) : words;
  const plain = operands.filter(({ text }) => text !== '!');
  if (plain.length === 1) addVariables(plain[0], names);
  for (const [number, word] of operands.entries())
    if (/^-[nz]$/.test(operands[number - 1]?.text ?? '')) addVariables(word, names);
}

function addVariables(word: ShellWord | undefined, names: Set<string>): void {
  for (const part of word?.parts ?? []) {
    const inner = part.kind === 'double' ? part.parts : [part];
    for (const each of inner) if (each.kind === 'parameter') names.add(each.name);
  }
}

/** What may have been meant: names of the script, and those of its stage. */
function candidates(known: ReadonlySet<string>, { stage, facts }: Scope): string[] {
  const outer = stage === undefined ? [] : facts.chainOf(stage);
  const names = [...known, ...outer.flatMap((each) => [...facts.summaryOf(each).names.keys()])];
  return names.filter((name) => name !== '' && !BUILT_IN_NAMES.includes(name));
}

function isDeclared(name: string, { stage, facts }: Scope): boolean {
  return (
    stage !== undefined &&
    facts.chainOf(stage).some((each) => facts.summaryOf(each).names.has(name))
  );
}

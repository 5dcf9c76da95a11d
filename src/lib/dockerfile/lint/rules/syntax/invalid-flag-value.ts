/** InvalidFlagValue: A flag has a value that it takes. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { nearestFix } from '../../analysis/near.ts';
import { instructionAt, offsetsOf, textOf } from '../../analysis/places.ts';
import type { Fix, Rule } from '../../rule.ts';

export const invalidFlagValue: Rule = {
  id: 'InvalidFlagValue',
  aliases: [
    'FLAG_AT_LEAST_ONE',
    'INVALID_SYNTAX',
    'FLAG_MISSING_VALUE',
    'FLAG_EXPECTED_BOOLEAN_VALUE',
    'FLAG_INVALID_LINK_VALUE',
  ],
  severity: 'error',
  summary: 'A flag has a value that it takes',
  fixable: true,
  checks: {},
  repair,
};

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  network: ['default', 'none', 'host'],
  security: ['sandbox', 'insecure'],
};
/** The value that was meant, for flags with a choice of them and those that are true or false. */
function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const range = offsetsOf(problem);
  const flag = instructionAt(file, range.start)?.flags.find(
    (candidate) => candidate.range.start <= range.start && range.end <= candidate.range.end,
  );
  const value = flag?.value;
  if (flag === undefined || value === undefined) return undefined;
  const choices =
    CHOICES[flag.name] ?? (problem.message.includes('true or false') ? ['true', 'false'] : []);
  return nearestFix(textOf(file, value.range), value.range, choices).fix;
}

/** UnknownInstruction: Every line begins with an instruction that exists. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { INSTRUCTION_KINDS } from '../../../statement.ts';
import { nearestFix } from '../../analysis/near.ts';
import { offsetsOf, textOf } from '../../analysis/places.ts';
import type { Fix, Rule } from '../../rule.ts';

export const unknownInstruction: Rule = {
  id: 'UnknownInstruction',
  aliases: ['UNKNOWN_INSTRUCTION'],
  severity: 'error',
  summary: 'Every line begins with an instruction that exists',
  fixable: true,
  checks: {},
  repair,
};

function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const range = offsetsOf(problem);
  return nearestFix(textOf(file, range), range, INSTRUCTION_KINDS).fix;
}

/** UnknownFlag: A flag exists for its instruction. The parser finds it; this is the way out. */
import { flagTable } from '../../../flags.ts';
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { nearestFix } from '../../analysis/near.ts';
import { instructionAt, offsetsOf, textOf } from '../../analysis/places.ts';
import { removeWord, safeFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const unknownFlag: Rule = {
  id: 'UnknownFlag',
  aliases: [
    'UNKNOWN_ADD_FLAG',
    'UNKNOWN_COPY_FLAG',
    'UNKNOWN_FROM_FLAG',
    'UNKNOWN_HEALTHCHECK_FLAG',
  ],
  severity: 'error',
  summary: 'A flag exists for its instruction',
  fixable: true,
  checks: {},
  repair,
};

/** The flag that was meant; ARG's, which have no effect, go. */
function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const range = offsetsOf(problem);
  const instruction = instructionAt(file, range.start);
  if (instruction === undefined || instruction.kind === 'UNKNOWN') return undefined;
  if (instruction.kind === 'ARG') return safeFix('Remove the flag', removeWord(file, range));
  const names = Object.keys(flagTable(instruction.kind)).map((name) => `--${name}`);
  return nearestFix(textOf(file, range), range, names).fix;
}

/** MultipleInstructionsDisallowed: CMD, ENTRYPOINT and HEALTHCHECK stand once in a stage. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { instructionAt, offsetsOf } from '../../analysis/places.ts';
import { removeInstruction, safeFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const multipleInstructionsDisallowed: Rule = {
  id: 'MultipleInstructionsDisallowed',
  aliases: ['DL3012', 'DL4003', 'DL4004', 'MULTIPLE_INSTRUCTIONS'],
  severity: 'warning',
  summary: 'CMD, ENTRYPOINT and HEALTHCHECK stand once in a stage',
  fixable: true,
  tag: 'unnecessary',
  checks: {},
  repair,
};

/** The one without effect goes. */
function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const instruction = instructionAt(file, offsetsOf(problem).start);
  return instruction === undefined
    ? undefined
    : safeFix('Remove it', removeInstruction(file, instruction));
}

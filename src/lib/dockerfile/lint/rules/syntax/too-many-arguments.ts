/** TooManyArguments: An instruction has no more arguments than it takes. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { instructionAt, offsetsOf } from '../../analysis/places.ts';
import { remove, safeFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const tooManyArguments: Rule = {
  id: 'TooManyArguments',
  aliases: ['ARGUMENT_EXTRA', 'ARGUMENT_UNNECESSARY'],
  severity: 'error',
  summary: 'An instruction has no more arguments than it takes',
  fixable: true,
  tag: 'unnecessary',
  checks: {},
  repair,
};

/** What follows HEALTHCHECK NONE. */
function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const { start, end } = offsetsOf(problem);
  if (instructionAt(file, start)?.kind !== 'HEALTHCHECK') return undefined;
  const none = /^none/i.exec(file.text.slice(start, end));
  return none === null
    ? undefined
    : safeFix('Remove the arguments', remove({ start: start + 4, end }));
}

/** FromAsCasing: FROM and AS are cased alike. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { instructionAt, offsetsOf } from '../../analysis/places.ts';
import { replace, safeFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const fromAsCasing: Rule = {
  id: 'FromAsCasing',
  aliases: [],
  severity: 'warning',
  summary: 'FROM and AS are cased alike',
  fixable: true,
  checks: {},
  repair,
};

function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const range = offsetsOf(problem);
  const keyword = instructionAt(file, range.start)?.keyword.text;
  if (keyword === undefined) return undefined;
  const wanted = keyword === keyword.toLowerCase() ? 'as' : 'AS';
  return safeFix(`Change to ${wanted}`, replace(range, wanted));
}

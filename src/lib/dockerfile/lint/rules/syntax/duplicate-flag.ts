/** DuplicateFlag: A flag is given once. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { offsetsOf } from '../../analysis/places.ts';
import { removeWord, suggestedFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const duplicateFlag: Rule = {
  id: 'DuplicateFlag',
  aliases: ['FLAG_DUPLICATE'],
  severity: 'error',
  summary: 'A flag is given once',
  fixable: true,
  checks: {},
  repair,
};

function repair(problem: Problem, file: Dockerfile): Fix {
  return suggestedFix('Remove the second flag', removeWord(file, offsetsOf(problem)));
}

/** InvalidDirective: A parser directive is given once, with a value that it takes. The parser finds it; this is the way out. */
import { linesAround } from '../../../../text/lines.ts';
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { offsetsOf, textOf } from '../../analysis/places.ts';
import { remove, suggestedFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const invalidDirective: Rule = {
  id: 'InvalidDirective',
  aliases: ['INVALID_ESCAPE_DIRECTIVE', 'DUPLICATED_ESCAPE_DIRECTIVE'],
  severity: 'error',
  summary: 'A parser directive is given once, with a value that it takes',
  fixable: true,
  checks: {},
  repair,
};

/** A second directive, or an escape that is none, goes. */
function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const range = linesAround(file.text, offsetsOf(problem));
  if (!textOf(file, range).startsWith('#')) return undefined;
  return suggestedFix('Remove the directive', remove(range));
}

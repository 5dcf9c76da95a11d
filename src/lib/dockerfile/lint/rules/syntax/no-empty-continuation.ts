/** NoEmptyContinuation: No line is empty within an instruction. The parser finds it; this is the way out. */
import { linesAround } from '../../../../text/lines.ts';
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { offsetsOf } from '../../analysis/places.ts';
import { remove, safeFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const noEmptyContinuation: Rule = {
  id: 'NoEmptyContinuation',
  aliases: ['EMPTY_CONTINUATION_LINE'],
  severity: 'warning',
  summary: 'No line is empty within an instruction',
  fixable: true,
  tag: 'deprecated',
  checks: {},
  repair,
};

function repair(problem: Problem, file: Dockerfile): Fix {
  const { start } = offsetsOf(problem);
  return safeFix('Remove the empty line', remove(linesAround(file.text, { start, end: start })));
}

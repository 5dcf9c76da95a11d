/** UnterminatedHeredoc: A heredoc ends with a line that holds only its name. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { instructionAt, offsetsOf } from '../../analysis/places.ts';
import { insert, lineBreak, suggestedFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const unterminatedHeredoc: Rule = {
  id: 'UnterminatedHeredoc',
  aliases: [],
  severity: 'error',
  summary: 'A heredoc ends with a line that holds only its name',
  fixable: true,
  checks: {},
  repair,
};

/** The missing line, at the end of the file. */
function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const { start } = offsetsOf(problem);
  const instruction = instructionAt(file, start);
  if (instruction === undefined || !('heredocs' in instruction)) return undefined;
  const heredoc = instruction.heredocs.find(({ range }) => range.start === start);
  if (heredoc === undefined) return undefined;
  const { text } = file;
  const newline = lineBreak(file);
  const line = `${text.endsWith('\n') ? '' : newline}${heredoc.name}${newline}`;
  return suggestedFix(`Add ${heredoc.name}`, insert(text.length, line));
}

/** UnterminatedQuote: a quote that is opened in a value is closed in it. */
import { expandWord } from '../../../expand.ts';
import type { Word } from '../../../syntax.ts';
import { insert, suggestedFix } from '../../edits.ts';
import type { Rule, Scope } from '../../rule.ts';

export const unterminatedQuote: Rule = {
  id: 'UnterminatedQuote',
  aliases: ['SYNTAX_MISSING_SINGLE_QUOTE', 'SYNTAX_MISSING_DOUBLE_QUOTE'],
  severity: 'error',
  summary: 'A quote that is opened is closed',
  fixable: true,
  checks: {
    every: (instruction, scope) => {
      for (const word of scope.expandedWords(instruction)) check(word, scope);
    },
  },
};

function check(word: Word, { file, report }: Scope): void {
  if (!word.text.includes('"') && !word.text.includes("'")) return;
  const { escapeCharacter: escape } = file.directives;
  const { problems } = expandWord(word, () => 'x', { escape, lines: file.lines });
  const problem = problems.find(({ message }) => message.includes('quote'));
  if (problem === undefined) return;
  const start = problem.range.start.offset;
  const quote = problem.message.includes('double') ? '"' : "'";
  report({
    message: problem.message,
    range: { start, end: start + 1 },
    fix: suggestedFix(`Add ${quote}`, insert(word.range.end, quote)),
  });
}

/** UnterminatedQuote: a quote that is opened in a value is closed in it. */
import { expandWord } from '../../../expand.ts';
import type { Instruction, Word } from '../../../syntax.ts';
import { insert, suggestedFix } from '../../edits.ts';
import type { Rule, Scope } from '../../rule.ts';

export const unterminatedQuote: Rule = {
  id: 'UnterminatedQuote',
  aliases: ['SYNTAX_MISSING_SINGLE_QUOTE', 'SYNTAX_MISSING_DOUBLE_QUOTE'],
  severity: 'error',
  blocking: true,
  summary: 'A quote that is opened is closed',
  fixable: true,
  checks: {
    every: (instruction, scope) => {
      for (const word of wordsOf(instruction, scope)) check(word, scope);
    },
  },
};

/** A FROM without variables has its quotes told of with its whole name. */
function wordsOf(instruction: Instruction, scope: Scope): readonly Word[] {
  if (instruction.kind !== 'FROM') return scope.expandedWords(instruction);
  return instruction.image.text.includes('$') ? [instruction.image] : [];
}

function check(word: Word, { deferred, file, report }: Scope): void {
  if (!word.text.includes('"') && !word.text.includes("'")) return;
  const { escapeCharacter: escape } = file.directives;
  const { problems } = expandWord(word, () => 'x', { escape, lines: file.lines });
  const problem = problems.find(({ message }) => message.includes('quote'));
  if (problem === undefined) return;
  const start = problem.range.start.offset;
  const quote = problem.message.includes('double') ? '"' : "'";
  report({
    message: problem.message,
    severity: deferred ? 'warning' : 'error',
    range: { start, end: start + 1 },
    fix: suggestedFix(`Add ${quote}`, insert(word.range.end, quote)),
  });
}

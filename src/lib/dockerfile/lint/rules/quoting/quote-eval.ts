/** QuoteEval: what is given to eval stands in quotes, so that the shell does not read its brackets first. */
import { insert, suggestedFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const quoteEval: Rule = {
  id: 'QuoteEval',
  aliases: ['SC1098'],
  severity: 'error',
  summary: 'What eval is given is quoted',
  fixable: true,
  checks: {
    script: ({ calls, tree }, { file, report }) => {
      for (const { name, range, arguments: words } of calls) {
        const [first] = words;
        if (name !== 'eval' || first === undefined) continue;
        const token = tree.problems.find(
          ({ code, range: { start } }) =>
            code === 'unexpected-token' && start >= range.start && start <= range.end,
        );
        if (token === undefined) continue;
        const fix = fixOf(first.range.start, file.text);
        const message = 'quote what eval is given: eval "…"';
        report({ message, range: token.range, ...(fix === undefined ? {} : { fix }) });
      }
    },
  },
};

/** Quotes from the first word to the bracket that closes, where there are no quotes yet. */
function fixOf(start: number, text: string): Fix | undefined {
  const [list] = /^[^\n'\\;&|()]*\([^\n'\\;&|()]*\)/.exec(text.slice(start, start + 1000)) ?? [];
  if (list === undefined) return undefined;
  return suggestedFix('Put it in quotes', insert(start, "'"), insert(start + list.length, "'"));
}

/** QuoteEval: what is given to eval stands in quotes, so that the shell does not read its brackets first. */
import type { Rule } from '../../rule.ts';

export const quoteEval: Rule = {
  id: 'QuoteEval',
  aliases: ['SC1098'],
  severity: 'error',
  summary: 'What eval is given is quoted',
  fixable: false,
  checks: {
    script: ({ calls, tree }, { report }) => {
      for (const { name, range } of calls) {
        if (name !== 'eval') continue;
        const token = tree.problems.find(
          ({ code, range: { start } }) =>
            code === 'unexpected-token' && start >= range.start && start <= range.end,
        );
        if (token !== undefined)
          report({ message: 'quote what eval is given: eval "…"', range: token.range });
      }
    },
  },
};

/** UnclosedQuote: a quote that is opened in a script is closed in it. */
import type { Rule } from '../../rule.ts';

export const unclosedQuote: Rule = {
  id: 'UnclosedQuote',
  aliases: ['SC1078', 'SC1072', 'SC1073'],
  severity: 'error',
  summary: 'A quote that is opened in a script is closed',
  fixable: false,
  checks: {
    script: ({ tree }, { report }) => {
      for (const { code, message, range } of tree.problems)
        if (code === 'unclosed-quote') report({ message, range });
    },
  },
};

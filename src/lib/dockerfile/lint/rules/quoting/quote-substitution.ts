/** QuoteSubstitution: the result of a command stands in quotes where it is one argument. */
import { insert, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';
import { splits } from './splitting.ts';

export const quoteSubstitution: Rule = {
  id: 'QuoteSubstitution',
  aliases: ['SC2046'],
  severity: 'warning',
  summary: 'The result of a command is quoted',
  fixable: true,
  checks: {
    script: (script, { report }) => {
      if (!/\$\(|`/.test(script.tree.text)) return;
      for (const placed of script.parts) {
        const { part } = placed;
        if (part.kind !== 'command' || part.body.items.length === 0) continue;
        if (!splits(placed, script)) continue;
        const { range } = part;
        const fix = suggestedFix(
          'Put it in quotes',
          insert(range.start, '"'),
          insert(range.end, '"'),
        );
        report({
          message:
            'the result of this command is split at spaces and its wildcards are expanded: quote it',
          range,
          fix,
        });
      }
    },
  },
};

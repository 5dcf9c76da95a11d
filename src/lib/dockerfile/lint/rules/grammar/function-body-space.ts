/** FunctionBodySpace: a space stands before the brace that opens a function. */
import { insert, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const functionBodySpace: Rule = {
  id: 'FunctionBodySpace',
  aliases: ['SC1095'],
  severity: 'error',
  summary: 'A space stands before the brace of a function',
  fixable: true,
  checks: {
    script: ({ commands }, { report }) => {
      for (const command of commands) {
        if (command.kind !== 'function' || command.name?.text.endsWith('{') !== true) continue;
        const { end } = command.name.range;
        const fix = safeFix('Add a space', insert(end - 1, ' '));
        report({
          message: 'a space or a line break is missing before {',
          range: { start: end - 1, end },
          fix,
        });
      }
    },
  },
};

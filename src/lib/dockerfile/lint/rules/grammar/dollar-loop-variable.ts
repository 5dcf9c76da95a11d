/** DollarLoopVariable: the variable of a loop is named without a dollar. */
import { remove, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const dollarLoopVariable: Rule = {
  id: 'DollarLoopVariable',
  aliases: ['SC1086'],
  severity: 'error',
  summary: 'The variable of a loop has no dollar',
  fixable: true,
  checks: {
    script: ({ commands }, { report }) => {
      for (const command of commands) {
        if (command.kind !== 'for' && command.kind !== 'select') continue;
        const { variable } = command;
        if (variable === undefined || !variable.text.startsWith('$')) continue;
        const { start } = variable.range;
        const fix = safeFix('Remove the dollar', remove({ start, end: start + 1 }));
        report({
          message: 'the loop gives values to a name, without a dollar',
          range: variable.range,
          fix,
        });
      }
    },
  },
};

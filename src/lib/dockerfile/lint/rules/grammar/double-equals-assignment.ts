/** DoubleEqualsAssignment: an assignment has one equals sign. */
import { remove, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const doubleEqualsAssignment: Rule = {
  id: 'DoubleEqualsAssignment',
  aliases: ['SC1097'],
  severity: 'error',
  summary: 'An assignment has one equals sign',
  fixable: true,
  checks: {
    script: ({ commands }, { report }) => {
      for (const command of commands) {
        if (command.kind !== 'simple') continue;
        for (const { name, value } of command.assignments) {
          if (!value.text.startsWith('=')) continue;
          const { start } = value.range;
          const fix = suggestedFix('Remove one equals sign', remove({ start, end: start + 1 }));
          report({
            message: `this gives ${name} the value '${value.text}': one = assigns, [ … = … ] compares`,
            range: { start, end: start + 1 },
            fix,
          });
        }
      }
    },
  },
};

/** SpaceAfterEquals: an assignment has no space behind its equals sign, unless an empty value is meant and written. */
import { insert, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const spaceAfterEquals: Rule = {
  id: 'SpaceAfterEquals',
  aliases: ['SC1007'],
  severity: 'warning',
  summary: 'No space follows the equals sign of an assignment',
  fixable: true,
  checks: {
    script: ({ commands }, { report }) => {
      for (const command of commands) {
        if (command.kind !== 'simple') continue;
        for (const [index, { name, value, range, append }] of command.assignments.entries()) {
          const follows = index < command.assignments.length - 1 || command.name !== undefined;
          if (!follows || value.text !== '' || name === 'IFS' || append) continue;
          const fix = safeFix(`Write ${name}=''`, insert(range.end, "''"));
          const message = `${name} gets an empty value here: drop the space, or write ${name}=''`;
          const gap = { start: range.end, end: range.end + 1 };
          report({ message, range: gap, fix });
        }
      }
    },
  },
};

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
        if (command.kind !== 'simple' || command.name === undefined) continue;
        const last = command.assignments.at(-1);
        if (last === undefined || last.value.text !== '' || last.name === 'IFS' || last.append)
          continue;
        const fix = safeFix(`Write ${last.name}=''`, insert(last.range.end, "''"));
        const message = `${last.name} gets an empty value here: drop the space, or write ${last.name}=''`;
        report({ message, range: last.range, fix });
      }
    },
  },
};

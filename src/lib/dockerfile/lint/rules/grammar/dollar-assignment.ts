/** DollarAssignment: the name that gets a value has no dollar. */
import { remove, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const dollarAssignment: Rule = {
  id: 'DollarAssignment',
  aliases: ['SC1066', 'SC2281'],
  severity: 'error',
  summary: 'The name in an assignment has no dollar',
  fixable: true,
  checks: {
    call: ({ nameWord, script }, { report }) => {
      const [first, second] = nameWord.parts;
      if (
        script === undefined ||
        first?.kind !== 'parameter' ||
        first.braced ||
        second?.kind !== 'literal'
      )
        return;
      if (!/^=[^=]?/.test(second.text) || !/^[A-Za-z_]/.test(first.name)) return;
      const { start, end } = first.range;
      const fix = safeFix('Remove the dollar', remove({ start, end: start + 1 }));
      report({
        message: `a value is given to ${first.name}, without a dollar`,
        range: { start, end },
        fix,
      });
    },
  },
};

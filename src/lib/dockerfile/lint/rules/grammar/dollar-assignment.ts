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
        first.operator !== '' ||
        first.index !== undefined ||
        first.prefix !== '' ||
        second?.kind !== 'literal'
      )
        return;
      if (!/^=[^=]?/.test(second.text) || !/^[A-Za-z_]/.test(first.name)) return;
      const { start, end } = first.range;
      const edits = [remove({ start, end: start + 1 })];
      if (first.braced)
        edits.push(remove({ start: start + 1, end: start + 2 }), remove({ start: end - 1, end }));
      const fix = safeFix('Remove the dollar', ...edits);
      report({
        message: `a value is given to ${first.name}, without a dollar`,
        range: { start, end },
        fix,
      });
    },
  },
};

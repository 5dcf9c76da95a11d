/** QuoteVariable: a variable stands in quotes where it is one argument. */
import { insert, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';
import { assignedNames, isConstant } from './constants.ts';
import { splits } from './splitting.ts';

export const quoteVariable: Rule = {
  id: 'QuoteVariable',
  aliases: ['SC2086'],
  severity: 'information',
  summary: 'A variable is quoted',
  fixable: true,
  checks: {
    script: (script, scope) => {
      if (!script.tree.text.includes('$')) return;
      let assigned: ReadonlyMap<string, boolean> | undefined;
      for (const placed of script.parts) {
        const { part } = placed;
        if (part.kind !== 'parameter' || part.prefix === '#' || !/^[A-Za-z_]/.test(part.name))
          continue;
        if (part.operator === '+' || part.operator === ':+' || !splits(placed, script)) continue;
        assigned ??= assignedNames(script);
        if (part.operator === '' && isConstant(part.name, assigned, scope)) continue;
        const { range, text } = part;
        const fix = suggestedFix(
          'Put it in quotes',
          insert(range.start, '"'),
          insert(range.end, '"'),
        );
        scope.report({
          message: `${text} is split at spaces and its wildcards are expanded: write "${text}"`,
          range,
          fix,
        });
      }
    },
  },
};

/** QuoteSubstitution: the result of a command stands in quotes where it is one argument. */
import { insert, suggestedFix } from '../../edits.ts';
import type { CommandPart } from '../../../shell/syntax.ts';
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
        const quote = [insert(range.start, '"'), insert(range.end, '"')];
        const fix = mayBeNothing(part) ? {} : { fix: suggestedFix('Put it in quotes', ...quote) };
        const message =
          'the result of this command is split at spaces and its wildcards are expanded: quote it';
        report({ message, range, ...fix });
      }
    },
  },
};

/** `$(test … && echo --flag)`: in quotes it would be an empty argument when there is no flag. */
function mayBeNothing({ body }: CommandPart): boolean {
  return body.items.some(({ node }) => node.kind === 'logical' || node.kind === 'if');
}

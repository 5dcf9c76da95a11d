/** LiteralDollar: a dollar that names no variable is escaped within double quotes. */
import { insert, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const literalDollar: Rule = {
  id: 'LiteralDollar',
  aliases: ['SC1000'],
  severity: 'hint',
  summary: 'A dollar without a name is escaped',
  fixable: true,
  checks: {
    script: ({ parts, tree }, { file, report }) => {
      if (!tree.text.includes('$')) return;
      for (const { part, quoted } of parts) {
        if (
          part.kind !== 'literal' ||
          part.text !== '$' ||
          !quoted ||
          file.text[part.range.end] === '"'
        )
          continue;
        const { range } = part;
        const fix = safeFix('Escape the dollar', insert(range.start, '\\'));
        report({ message: 'this dollar names no variable: write it as \\$', range, fix });
      }
    },
  },
};

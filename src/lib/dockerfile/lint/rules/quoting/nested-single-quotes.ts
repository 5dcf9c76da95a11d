/** NestedSingleQuotes: single quotes within single quotes end them. */
import type { Range } from '../../../syntax.ts';
import { insert, suggestedFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const nestedSingleQuotes: Rule = {
  id: 'NestedSingleQuotes',
  aliases: ['SC2026'],
  severity: 'warning',
  summary: 'Single quotes are not nested',
  fixable: true,
  checks: {
    script: ({ words }, { report }) => {
      for (const { word } of words) {
        if (word.parts.length < 2) continue;
        for (const [index, part] of word.parts.entries()) {
          const isBehind = word.parts[index - 1]?.kind === 'single';
          if (part.kind !== 'literal' || !isBehind || !/^[A-Za-z0-9]+$/.test(part.text)) continue;
          const message = `'${part.text}' is outside the quotes: a single quote within single quotes is '\\''`;
          const isAround = word.parts[index + 1]?.kind === 'single';
          report({ message, range: part.range, ...(isAround ? { fix: fixOf(part.range) } : {}) });
        }
      }
    },
  },
};

/** Each of the two quotes becomes one that is meant as itself. */
function fixOf({ start, end }: Range): Fix {
  return suggestedFix("Write the quotes as '\\''", insert(start, "\\''"), insert(end, "'\\'"));
}

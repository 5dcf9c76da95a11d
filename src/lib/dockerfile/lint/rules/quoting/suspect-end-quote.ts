/** SuspectEndQuote: the quote that ends a text of several lines is not followed by a letter, as one in the wrong place is. */
import type { Rule } from '../../rule.ts';

export const suspectEndQuote: Rule = {
  id: 'SuspectEndQuote',
  aliases: ['SC1079'],
  severity: 'information',
  summary: 'A quote over several lines ends where it should',
  fixable: false,
  checks: {
    script: ({ words }, { report }) => {
      for (const { word } of words) {
        if (word.parts.length < 2) continue;
        for (const [index, part] of word.parts.entries()) {
          const next = word.parts[index + 1];
          if (part.kind !== 'double' || !part.text.includes('\n') || next?.kind !== 'literal')
            continue;
          if (!/^[A-Za-z0-9]/.test(next.text)) continue;
          const range = { start: part.range.end - 1, end: part.range.end };
          report({
            message:
              'this quote ends a text of several lines, and a letter follows: is one missing before?',
            range,
          });
        }
      }
    },
  },
};

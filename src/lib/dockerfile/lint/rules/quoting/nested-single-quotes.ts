/** NestedSingleQuotes: single quotes within single quotes end them. */
import type { Rule } from '../../rule.ts';

export const nestedSingleQuotes: Rule = {
  id: 'NestedSingleQuotes',
  aliases: ['SC2026'],
  severity: 'warning',
  summary: 'Single quotes are not nested',
  fixable: false,
  checks: {
    script: ({ words }, { report }) => {
      for (const { word } of words) {
        if (word.parts.length < 2) continue;
        for (const [index, part] of word.parts.entries()) {
          const isBehind = word.parts[index - 1]?.kind === 'single';
          if (part.kind !== 'literal' || !isBehind || !/^[A-Za-z0-9]+$/.test(part.text)) continue;
          const message = `'${part.text}' is outside the quotes: a single quote within single quotes is '\\''`;
          report({ message, range: part.range });
        }
      }
    },
  },
};

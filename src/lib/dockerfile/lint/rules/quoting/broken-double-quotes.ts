/** BrokenDoubleQuotes: a text in double quotes holds no bare quotes that end it in the middle. */
import type { WordPart } from '../../../shell/syntax.ts';
import { insert, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

/** What people put between two quoted texts on purpose. */
const JOINTS = new Set(['/', '=', ':']);

export const brokenDoubleQuotes: Rule = {
  id: 'BrokenDoubleQuotes',
  aliases: ['SC2140'],
  severity: 'warning',
  summary: 'Quotes within double quotes are escaped',
  fixable: true,
  checks: {
    script: ({ words }, { report }) => {
      for (const { word } of words) {
        if (word.parts.length < 3) continue;
        for (const [index, part] of word.parts.entries()) {
          if (part.kind !== 'literal' || JOINTS.has(part.text)) continue;
          if (!isText(word.parts[index - 1]) || word.parts[index + 1]?.kind !== 'double') continue;
          const message = `'${part.text}' is outside the quotes: a quote within double quotes is \\"`;
          const { start, end } = part.range;
          const fix = suggestedFix('Escape the quotes', insert(start - 1, '\\'), insert(end, '\\'));
          report({ message, range: part.range, fix });
        }
      }
    },
  },
};

/** Double quotes with some plain text in them. */
function isText(part: WordPart | undefined): boolean {
  return part?.kind === 'double' && part.parts.some(({ kind }) => kind === 'literal');
}

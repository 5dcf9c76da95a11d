/** LiteralBrace: a brace that is meant as itself stands in quotes. */
import type { WordUse } from '../../shell/script.ts';
import { insert, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const literalBrace: Rule = {
  id: 'LiteralBrace',
  aliases: ['SC1083'],
  severity: 'information',
  summary: 'A brace that is meant as itself is quoted',
  fixable: true,
  checks: {
    script: ({ words, tree }, { report }) => {
      if (!/[{}]/.test(tree.text)) return;
      for (const use of words) {
        const { word } = use;
        const brace = braceOf(use);
        if (brace === undefined) continue;
        const { start, end } = word.range;
        const whole = word.parts.length === 1 && !word.text.includes("'");
        const fix = safeFix('Put it in quotes', insert(start, "'"), insert(end, "'"));
        const message = `this ${brace} means itself here: quote it, or is a ; missing before it?`;
        report({
          message,
          range: word.range,
          ...(whole && use.role === 'argument' ? { fix } : {}),
        });
      }
    },
  },
};

function braceOf({ word, role }: WordUse): string | undefined {
  if (
    (role !== 'argument' && role !== 'name') ||
    word.braces.length > 0 ||
    /\{\d*\}|@\{/.test(word.text)
  )
    return undefined;
  for (const part of word.parts) {
    const brace = part.kind === 'literal' ? /[{}]/.exec(part.text)?.[0] : undefined;
    if (brace !== undefined && !part.text.includes('#')) return brace;
  }
  return undefined;
}

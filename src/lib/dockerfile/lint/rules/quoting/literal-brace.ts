/** LiteralBrace: a brace that is meant as itself stands in quotes. */
import type { ShellWord } from '../../../shell/syntax.ts';
import type { Range } from '../../../syntax.ts';
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
        if (use.role !== 'argument' && use.role !== 'name' && use.role !== 'assignment') continue;
        const { word } = use;
        const { start, end } = word.range;
        const isWhole = word.parts.length === 1 && !word.text.includes("'");
        const fix = safeFix('Put it in quotes', insert(start, "'"), insert(end, "'"));
        for (const { text, range } of bracesOf(word)) {
          const message = `this ${text} means itself here: quote it, or is a ; missing before it?`;
          report({ message, range, ...(isWhole && use.role === 'argument' ? { fix } : {}) });
        }
      }
    },
  },
};

interface Brace {
  readonly text: string;
  readonly range: Range;
}

/** The braces of a word that are neither `{}` nor those of an expansion. */
function bracesOf({ parts, braces }: ShellWord): Brace[] {
  return parts.flatMap((part) => {
    // A text that continuations run through has no simple places.
    if (part.kind !== 'literal' || part.range.end - part.range.start !== part.text.length)
      return [];
    return [...part.text.matchAll(/\{\}|[{}]/g)].flatMap(({ 0: text, index }) => {
      const start = part.range.start + index;
      const isExpanded = braces.some((each) => each.start <= start && start < each.end);
      return text === '{}' || isExpanded ? [] : [{ text, range: { start, end: start + 1 } }];
    });
  });
}

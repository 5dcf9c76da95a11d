/** UselessBackslash: no backslash stands before a letter or digit, where the shell drops it. */
import { remove, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const uselessBackslash: Rule = {
  id: 'UselessBackslash',
  aliases: ['SC1001', 'SC1012'],
  severity: 'information',
  summary: 'No backslash stands before an ordinary character',
  fixable: true,
  tag: 'unnecessary',
  checks: {
    script: ({ parts, tree }, { report }) => {
      if (!tree.text.includes('\\')) return;
      for (const { part, quoted, role, word } of parts) {
        if (part.kind !== 'escaped' || quoted || !isOrdinary(part.value)) continue;
        // A command's name behind a backslash is one that no alias stands for.
        if (role === 'name' && word?.word.range.start === part.range.start) continue;
        const { start } = part.range;
        const fix = safeFix('Remove the backslash', remove({ start, end: start + 1 }));
        report({
          message: `outside quotes ${part.text} is just ${part.value}: quote it, or drop the backslash`,
          range: part.range,
          fix,
        });
      }
    },
  },
};

/** A character that means nothing to the shell, with a backslash or without. */
function isOrdinary(text: string): boolean {
  return text !== '' && !/[\s|&;<>()\\'"`$?*@!+[\]{}.,~#]/.test(text);
}

/** EchoEscapes: text with escapes is printed by printf; not every echo expands them. */
import { replace, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const echoEscapes: Rule = {
  id: 'EchoEscapes',
  aliases: ['SC2028'],
  severity: 'information',
  summary: 'Text with escapes is printed by printf',
  fixable: true,
  checks: {
    calls: ['echo'],
    call: ({ nameWord, arguments: words, script }, { report }) => {
      if (script === undefined || /^-[neE]*[eE]/.test(words[0]?.text ?? '')) return;
      const escape = words.find(({ text }) =>
        /["'](?:.*[^\\])?(?:\\\\)*\\[abefnrtv0x]/s.test(text),
      );
      if (escape === undefined) return;
      const fix = suggestedFix(
        "Change to printf '%b\\n'",
        replace(nameWord.range, "printf '%b\\n'"),
      );
      report({
        message: 'whether echo expands this escape depends on the shell: use printf',
        range: escape.range,
        ...(words.length === 1 ? { fix } : {}),
      });
    },
  },
};

/** ExposeProtoCasing: the protocol of an exposed port is written in small letters. */
import { rangeInWord } from '../../../source.ts';
import { replace, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const exposeProtoCasing: Rule = {
  id: 'ExposeProtoCasing',
  aliases: [],
  severity: 'warning',
  summary: 'The protocol of an exposed port is in small letters',
  fixable: true,
  checks: {
    EXPOSE: ({ words }, { report }) => {
      for (const word of words) {
        const slash = word.text.indexOf('/');
        const protocol = word.text.slice(slash + 1);
        const lower = protocol.toLowerCase();
        if (slash < 0 || protocol === lower || protocol.includes('$')) continue;
        const range = rangeInWord(word, slash + 1, word.text.length);
        const message = `protocol '${protocol}' should be in small letters: ${lower}`;
        report({ message, range, fix: safeFix(`Change to ${lower}`, replace(range, lower)) });
      }
    },
  },
};

/** NonNumericUser: USER gives a number, which means the same outside the container as in it. */
import type { Rule } from '../../rule.ts';

export const nonNumericUser: Rule = {
  id: 'NonNumericUser',
  aliases: ['DL3066'],
  severity: 'information',
  summary: 'USER gives a numeric id',
  fixable: false,
  checks: {
    USER: ({ value: { text, range } }, { report }) => {
      const user = text.replaceAll(/["']/g, '').split(':')[0] ?? '';
      if (user === '' || user === 'root' || user.includes('$') || /^\d+$/.test(user)) return;
      // Windows has no numbers for them.
      if (/^Container(Administrator|User)$/i.test(user) || user.includes('\\')) return;
      const message = `'${user}' is known inside the image only: a numeric id can be checked from outside (runAsNonRoot)`;
      report({ message, range });
    },
  },
};

/** ExposeInvalidFormat: EXPOSE names ports of the container, no addresses and no ports of the host. */
import { replace, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const exposeInvalidFormat: Rule = {
  id: 'ExposeInvalidFormat',
  aliases: [],
  severity: 'warning',
  summary: 'EXPOSE names ports of the container only',
  fixable: true,
  checks: {
    EXPOSE: ({ words }, { report }) => {
      for (const { text, range } of words) {
        if (!text.includes(':') || text.includes('$')) continue;
        const port = text.slice(text.lastIndexOf(':') + 1);
        const message = `'${text}' maps a port, which is docker run's part: EXPOSE ${port}`;
        report({ message, range, fix: safeFix(`Change to ${port}`, replace(range, port)) });
      }
    },
  },
};

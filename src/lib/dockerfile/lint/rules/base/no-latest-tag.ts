/** NoLatestTag: FROM does not ask for the tag that moves. */
import type { Rule } from '../../rule.ts';
import { plainImage } from './plain-image.ts';

export const noLatestTag: Rule = {
  id: 'NoLatestTag',
  aliases: ['DL3007'],
  severity: 'warning',
  summary: 'FROM does not use the tag latest',
  fixable: false,
  checks: {
    FROM: (from, scope) => {
      const image = plainImage(from, scope);
      if (image?.tag !== 'latest' || image.digest !== undefined) return;
      const message = `'latest' is another image tomorrow: name the version that this was written for`;
      scope.report({ message, range: from.image.range });
    },
  },
};

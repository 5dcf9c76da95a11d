/** PinImageTag: FROM says which version of an image it wants. */
import type { Rule } from '../../rule.ts';
import { plainImage } from './plain-image.ts';

export const pinImageTag: Rule = {
  id: 'PinImageTag',
  aliases: ['DL3006'],
  severity: 'warning',
  summary: 'FROM gives its image a tag or a digest',
  fixable: false,
  checks: {
    FROM: (from, scope) => {
      const image = plainImage(from, scope);
      if (image === undefined || image.tag !== undefined || image.digest !== undefined) return;
      const message = `${from.image.text} has no tag, so it means whatever 'latest' is today: name a version`;
      scope.report({ message, range: from.image.range });
    },
  },
};

/** CopyWholeFilesystem: what is copied from another stage is what is needed of it, not its root. */
import type { Rule } from '../../rule.ts';

export const copyWholeFilesystem: Rule = {
  id: 'CopyWholeFilesystem',
  aliases: ['DL3067'],
  severity: 'warning',
  summary: 'COPY --from takes certain paths, not a whole root file system',
  fixable: false,
  checks: {
    COPY: ({ from, sources, dest }, scope) => {
      // Into an empty image it flattens the layers, on purpose.
      if (from === undefined || scope.stage?.from.image.text === 'scratch') return;
      for (const { text, range } of sources) {
        if (!/^(\/+\.?\/*|\/\*)$/.test(text) || dest.text === '') continue;
        const message = `this copies the whole root of ${from.text}: name the files that are needed`;
        scope.report({ message, range });
      }
    },
  },
};

/** RedundantTargetPlatform: FROM does not ask for the platform that it gets anyway. */
import { removeWord, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const redundantTargetPlatform: Rule = {
  id: 'RedundantTargetPlatform',
  aliases: ['DL3065'],
  severity: 'warning',
  summary: 'FROM --platform=$TARGETPLATFORM is the default',
  fixable: true,
  tag: 'unnecessary',
  checks: {
    FROM: ({ flags }, { file, report }) => {
      for (const { name, value, range } of flags) {
        if (
          name !== 'platform' ||
          !/^\$(TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(value?.text ?? '')
        )
          continue;
        const fix = safeFix('Remove --platform', removeWord(file, range));
        report({ message: '--platform=$TARGETPLATFORM is the default and can go', range, fix });
      }
    },
  },
};

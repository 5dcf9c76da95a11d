/** FromPlatformFlagConstDisallowed: FROM --platform names no fixed platform. */
import { removeWord, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const fromPlatformFlagConstDisallowed: Rule = {
  id: 'FromPlatformFlagConstDisallowed',
  aliases: ['DL3029'],
  severity: 'warning',
  summary: 'FROM --platform names no fixed platform',
  fixable: true,
  checks: {
    FROM: ({ platform, name, flags }, { file, report }) => {
      if (platform === undefined || platform.text === '' || platform.text.includes('$')) return;
      // A stage that is named after its platform is meant to be of it.
      const parts = platform.text.toLowerCase().split('/');
      if (parts.some((part) => part !== '' && name?.text.toLowerCase().includes(part) === true))
        return;
      const flag = flags.find((candidate) => candidate.name === 'platform');
      const message = `--platform=${platform.text} is fixed: leave it out, or use $BUILDPLATFORM or $TARGETPLATFORM`;
      report({
        message,
        range: platform.range,
        ...(flag === undefined
          ? {}
          : { fix: suggestedFix('Remove --platform', removeWord(file, flag.range)) }),
      });
    },
  },
};

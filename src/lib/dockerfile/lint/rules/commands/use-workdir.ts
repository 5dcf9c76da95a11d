/** UseWorkdir: the directory of what follows is set with WORKDIR, not with cd. */
import type { Rule } from '../../rule.ts';

export const useWorkdir: Rule = {
  id: 'UseWorkdir',
  aliases: ['DL3003'],
  severity: 'warning',
  summary: 'WORKDIR changes the directory, not cd',
  fixable: false,
  checks: {
    calls: ['cd'],
    call: ({ nameWord, place }, { report }) => {
      // In brackets of its own the change is meant for what stands in them.
      if (
        place?.inSubshell === true ||
        place?.inSubstitution === true ||
        place?.inFunction === true
      )
        return;
      report({
        message: 'cd lasts until the end of this RUN only: use WORKDIR',
        range: nameWord.range,
      });
    },
  },
};

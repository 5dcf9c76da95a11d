/** AbsoluteWorkdir: WORKDIR gives the whole path, also after another WORKDIR. */
import { replace, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';
import { joinPath, workdirs } from './workdirs.ts';

export const absoluteWorkdir: Rule = {
  id: 'AbsoluteWorkdir',
  aliases: ['DL3000', 'WORKDIR_IS_NOT_ABSOLUTE'],
  severity: 'information',
  summary: 'WORKDIR gives the whole path',
  fixable: true,
  checks: {
    stage: (stage, { facts, report }) => {
      for (const { instruction, before } of workdirs(stage, facts)) {
        const { text, range } = instruction.value;
        const path = before === undefined ? undefined : joinPath(before, text);
        if (path === undefined || before === undefined) continue;
        const known = before.includes('$')
          ? {}
          : { fix: safeFix(`Change to ${path}`, replace(range, path)) };
        report({ message: `this means ${path}: the whole path says so`, range, ...known });
      }
    },
  },
};

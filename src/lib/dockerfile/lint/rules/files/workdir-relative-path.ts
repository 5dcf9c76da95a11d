/** WorkdirRelativePath: a relative WORKDIR follows an absolute one. */
import type { Rule } from '../../rule.ts';
import { absoluteFix } from './absolute.ts';
import { joinPath, workdirs } from './workdirs.ts';

export const workdirRelativePath: Rule = {
  id: 'WorkdirRelativePath',
  aliases: ['DL3000', 'WORKDIR_IS_NOT_ABSOLUTE'],
  severity: 'warning',
  summary: 'A relative WORKDIR follows an absolute one',
  fixable: true,
  checks: {
    stage: (stage, scope) => {
      for (const { instruction, before } of workdirs(stage, scope.facts)) {
        if (before !== undefined || joinPath('/', instruction.value.text) === undefined) continue;
        const { text, range } = instruction.value;
        const message = `'${text}' is relative to the base image's directory, which may change: give the whole path`;
        const fix = absoluteFix(instruction.value, scope);
        scope.report({ message, range, ...(fix === undefined ? {} : { fix }) });
      }
    },
  },
};

/** WorkdirRelativePath: a relative WORKDIR follows an absolute one. */
import type { Rule } from '../../rule.ts';
import { joinPath, workdirs } from './workdirs.ts';

export const workdirRelativePath: Rule = {
  id: 'WorkdirRelativePath',
  aliases: ['DL3000', 'WORKDIR_IS_NOT_ABSOLUTE'],
  severity: 'warning',
  summary: 'A relative WORKDIR follows an absolute one',
  fixable: false,
  checks: {
    stage: (stage, { facts, report }) => {
      for (const { instruction, before } of workdirs(stage, facts)) {
        if (before !== undefined || joinPath('/', instruction.value.text) === undefined) continue;
        const { text, range } = instruction.value;
        const message = `'${text}' is relative to the base image's directory, which may change: give the whole path`;
        report({ message, range });
      }
    },
  },
};

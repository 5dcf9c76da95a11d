/** ZypperYes: zypper asks no questions, since nobody is there to answer. */
import { insert, safeFix } from '../../edits.ts';
import { mayHaveOption } from '../../shell/options.ts';
import type { Rule } from '../../rule.ts';
import { rpmCommand } from './rpm.ts';

const ASKING = ['install', 'in', 'remove', 'rm', 'source-install', 'si', 'patch', 'update', 'up'];

export const zypperYes: Rule = {
  id: 'ZypperYes',
  aliases: ['DL3034'],
  severity: 'warning',
  summary: 'zypper install has -y or --non-interactive',
  fixable: true,
  checks: {
    calls: ['zypper'],
    call: (call, { report }) => {
      const command = rpmCommand(call, ['zypper']);
      if (command === undefined || !ASKING.includes(command.action.text)) return;
      if (mayHaveOption(command.line, 'y', 'no-confirm', 'n', 'non-interactive')) return;
      const { range, text } = command.action;
      const fix = safeFix('Add -y', insert(range.end, ' -y'));
      report({
        message: `zypper ${text} waits for an answer that nobody gives: add -y`,
        range,
        fix,
      });
    },
  },
};

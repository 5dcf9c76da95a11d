/** DnfYes: dnf asks no questions, since nobody is there to answer. */
import { insert, safeFix } from '../../edits.ts';
import { hasOption } from '../../shell/options.ts';
import type { Rule } from '../../rule.ts';
import { ASKING, rpmCommand } from './rpm.ts';

const NAMES = ['dnf', 'microdnf', 'tdnf'];

export const dnfYes: Rule = {
  id: 'DnfYes',
  aliases: ['DL3038'],
  severity: 'warning',
  summary: 'dnf install has -y',
  fixable: true,
  checks: {
    calls: NAMES,
    call: (call, { report }) => {
      const command = rpmCommand(call, NAMES);
      if (command === undefined || !ASKING.includes(command.action.text)) return;
      if (hasOption(command.line, 'y', 'assumeyes')) return;
      const { range, text } = command.action;
      const fix = safeFix('Add -y', insert(range.end, ' -y'));
      report({
        message: `${call.name} ${text} waits for an answer that nobody gives: add -y`,
        range,
        fix,
      });
    },
  },
};

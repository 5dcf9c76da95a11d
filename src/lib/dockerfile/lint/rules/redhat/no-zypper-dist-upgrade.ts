/** NoZypperDistUpgrade: an image is not turned into another release of its distribution. */
import { replace, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';
import { rpmCommand } from './rpm.ts';

export const noZypperDistUpgrade: Rule = {
  id: 'NoZypperDistUpgrade',
  aliases: ['DL3035'],
  severity: 'warning',
  summary: 'zypper dist-upgrade is not used',
  fixable: true,
  checks: {
    calls: ['zypper'],
    call: (call, { report }) => {
      const command = rpmCommand(call, ['zypper']);
      if (command === undefined || !['dist-upgrade', 'dup'].includes(command.action.text)) return;
      const message = `zypper ${command.action.text} makes the image another release: begin FROM the one that is wanted`;
      const fix = suggestedFix('Change to update', replace(command.action.range, 'update'));
      report({ message, range: command.action.range, fix });
    },
  },
};

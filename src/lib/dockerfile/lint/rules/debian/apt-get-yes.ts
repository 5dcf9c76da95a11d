/** AptGetYes: apt-get asks no questions, since nobody is there to answer. */
import { insert, safeFix } from '../../edits.ts';
import { mayHaveOption } from '../../shell/options.ts';
import type { Rule } from '../../rule.ts';
import { aptCommand } from './apt.ts';

const ASKING = [
  'install',
  'upgrade',
  'dist-upgrade',
  'full-upgrade',
  'remove',
  'purge',
  'autoremove',
  'build-dep',
  'reinstall',
];

export const aptGetYes: Rule = {
  id: 'AptGetYes',
  aliases: ['DL3014'],
  severity: 'warning',
  summary: 'apt-get install has -y',
  fixable: true,
  checks: {
    calls: ['apt-get', 'apt', 'aptitude'],
    call: (call, { report }) => {
      const command = aptCommand(call);
      if (command === undefined || !ASKING.includes(command.action.text)) return;
      const { line, action } = command;
      const quiet = line.options.filter(({ name }) => name === 'q' || name === 'quiet').length;
      const level = Number(
        line.options.find(({ name }) => name === 'quiet' || name === 'q')?.value ?? 0,
      );
      if (mayHaveOption(line, 'y', 'yes', 'assume-yes') || quiet > 1 || level > 1) return;
      if (
        line.options.some(({ value }) =>
          /^(APT::Get::Assume-Yes|APT::Get::force-yes)/i.test(value ?? ''),
        )
      )
        return;
      const fix = safeFix('Add -y', insert(action.range.end, ' -y'));
      report({
        message: `${call.name} ${action.text} waits for an answer that nobody gives: add -y`,
        range: action.range,
        fix,
      });
    },
  },
};

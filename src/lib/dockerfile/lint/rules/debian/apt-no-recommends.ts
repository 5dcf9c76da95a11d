/** AptNoRecommends: apt-get install leaves out what is only recommended. */
import { insert, suggestedFix } from '../../edits.ts';
import { mayHaveOption } from '../../shell/options.ts';
import type { Rule } from '../../rule.ts';
import { aptCommand } from './apt.ts';

export const aptNoRecommends: Rule = {
  id: 'AptNoRecommends',
  aliases: ['DL3015'],
  severity: 'information',
  summary: 'apt-get install has --no-install-recommends',
  fixable: true,
  checks: {
    calls: ['apt-get', 'apt', 'aptitude'],
    call: (call, { report }) => {
      const command = aptCommand(call);
      if (command?.action.text !== 'install') return;
      const { line, action } = command;
      const set = line.options.some(({ value }) =>
        /^APT::Install-Recommends=(0|false|no)/i.test(value ?? ''),
      );
      if (set || mayHaveOption(line, 'no-install-recommends', 'without-recommends')) return;
      const flag = call.name === 'aptitude' ? '--without-recommends' : '--no-install-recommends';
      const fix = suggestedFix(`Add ${flag}`, insert(action.range.end, ` ${flag}`));
      report({
        message: `${call.name} install takes recommended packages along: add ${flag}`,
        range: action.range,
        fix,
      });
    },
  },
};

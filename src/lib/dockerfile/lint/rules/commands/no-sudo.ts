/** NoSudo: a build runs as the user that USER names; sudo is not used to change it. */
import { remove, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const noSudo: Rule = {
  id: 'NoSudo',
  aliases: ['DL3004'],
  severity: 'error',
  summary: 'sudo is not used',
  fixable: true,
  checks: {
    calls: ['sudo'],
    call: ({ nameWord, arguments: words }, { report }) => {
      const [first] = words;
      const plain = first !== undefined && first.value !== undefined && !/^-|=/.test(first.text);
      const end = first?.range.start ?? nameWord.range.end;
      report({
        message:
          'sudo passes on neither signals nor the terminal as expected: set USER, or use gosu where a container starts',
        range: nameWord.range,
        ...(plain
          ? { fix: suggestedFix('Remove sudo', remove({ start: nameWord.range.start, end })) }
          : {}),
      });
    },
  },
};

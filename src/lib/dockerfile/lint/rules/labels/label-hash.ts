/** LabelHash: A label of the format hash holds a git commit. */
import type { Rule } from '../../rule.ts';
import { eachLabel } from './label-values.ts';

export const labelHash: Rule = {
  id: 'LabelHash',
  aliases: ['DL3055'],
  severity: 'warning',
  summary: 'A label of the format hash holds a git commit',
  fixable: false,
  checks: {
    LABEL: (instruction, scope) =>
      eachLabel(instruction, scope, 'hash', ({ name, value, range }) => {
        if (isValid(value)) return;
        scope.report({
          message: `label '${name}' should be a git commit of 7 to 40 hexadecimal digits, not '${value}'`,
          range,
        });
      }),
  },
};

function isValid(value: string): boolean {
  return /^[0-9a-f]{7,40}$|^[0-9a-f]{64}$/i.test(value);
}

/** LabelEmail: A label of the format email holds a mail address. */
import type { Rule } from '../../rule.ts';
import { eachLabel } from './label-values.ts';

const ADDRESS =
  /^[A-Za-z0-9.!#$%&'*+\/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$/;

export const labelEmail: Rule = {
  id: 'LabelEmail',
  aliases: ['DL3058'],
  severity: 'warning',
  summary: 'A label of the format email holds a mail address',
  fixable: false,
  checks: {
    LABEL: (instruction, scope) =>
      eachLabel(instruction, scope, 'email', ({ name, value, range }) => {
        if (isValid(value)) return;
        scope.report({
          message: `label '${name}' should be a mail address, not '${value}'`,
          range,
        });
      }),
  },
};

function isValid(value: string): boolean {
  if (value.length > 254) return false;
  const bare = /<([^<>]*)>$/.exec(value)?.[1] ?? value;
  return ADDRESS.test(bare) && !bare.includes('..') && !/^\.|\.@/.test(bare);
}

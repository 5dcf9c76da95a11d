/** LabelUrl: A label of the format url holds a web address. */
import type { Rule } from '../../rule.ts';
import { eachLabel, valueFix } from './label-values.ts';

const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\/[^\s\/?#][^\s]*$/i;

export const labelUrl: Rule = {
  id: 'LabelUrl',
  aliases: ['DL3052'],
  severity: 'warning',
  summary: 'A label of the format url holds a web address',
  fixable: true,
  checks: {
    LABEL: (instruction, scope) =>
      eachLabel(instruction, scope, 'url', ({ name, value, range }) => {
        if (isValid(value)) return;
        scope.report({
          message: `label '${name}' should be an address with a scheme, not '${value}'`,
          range,
          ...valueFix(scope, range, webAddress(value)),
        });
      }),
  },
};

function isValid(value: string): boolean {
  return ADDRESS.test(value) || /^(mailto|urn|data|file):\S+$/i.test(value);
}

/** A host's name alone gets the usual scheme. */
function webAddress(value: string): string | undefined {
  return /^([\w-]+\.)+[A-Za-z]{2,}([/:?#]\S*)?$/.test(value) ? `https://${value}` : undefined;
}

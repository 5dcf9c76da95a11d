/** LabelSemver: A label of the format semver holds a version. */
import type { Rule } from '../../rule.ts';
import { eachLabel } from './label-values.ts';

const NUMBER = '(?:0|[1-9]\\d*)';
const PART = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)';
const VERSION = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${PART}(?:\\.${PART})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

export const labelSemver: Rule = {
  id: 'LabelSemver',
  aliases: ['DL3056'],
  severity: 'warning',
  summary: 'A label of the format semver holds a version',
  fixable: false,
  checks: {
    LABEL: (instruction, scope) =>
      eachLabel(instruction, scope, 'semver', ({ name, value, range }) => {
        if (isValid(value)) return;
        scope.report({
          message: `label '${name}' should be a version such as 1.4.2 (semver.org), not '${value}'`,
          range,
        });
      }),
  },
};

function isValid(value: string): boolean {
  return value.length <= 256 && VERSION.test(value);
}

/** LabelSemver: A label of the format semver holds a version. */
import type { Rule } from '../../rule.ts';
import { eachLabel, valueFix } from './label-values.ts';

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
  fixable: true,
  checks: {
    LABEL: (instruction, scope) =>
      eachLabel(instruction, scope, 'semver', ({ name, value, range }) => {
        if (isValid(value)) return;
        scope.report({
          message: `label '${name}' should be a version such as 1.4.2 (semver.org), not '${value}'`,
          range,
          ...valueFix(scope, range, asVersion(value)),
        });
      }),
  },
};

function isValid(value: string): boolean {
  return value.length <= 256 && VERSION.test(value);
}

/** A version with a `v` before it, or with fewer than three numbers. */
function asVersion(value: string): string | undefined {
  const [, first, second = '.0', third = '.0', rest = ''] =
    /^[vV]?(\d+)(\.\d+)?(\.\d+)?([-+].*)?$/.exec(value) ?? [];
  const version = first === undefined ? '' : `${first}${second}${third}${rest}`;
  return isValid(version) ? version : undefined;
}

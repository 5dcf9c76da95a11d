/** LabelTime: A label of the format rfc3339 holds a time. */
import type { Rule } from '../../rule.ts';
import { eachLabel } from './label-values.ts';

const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

export const labelTime: Rule = {
  id: 'LabelTime',
  aliases: ['DL3053'],
  severity: 'warning',
  summary: 'A label of the format rfc3339 holds a time',
  fixable: false,
  checks: {
    LABEL: (instruction, scope) =>
      eachLabel(instruction, scope, 'rfc3339', ({ name, value, range }) => {
        if (isValid(value)) return;
        scope.report({
          message: `label '${name}' should be a time such as 2024-05-01T12:00:00Z, not '${value}'`,
          range,
        });
      }),
  },
};

function isValid(value: string): boolean {
  const match = TIME.exec(value);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  const days = [
    31,
    year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28,
    31,
    30,
    31,
    30,
    31,
    31,
    30,
    31,
    30,
    31,
  ];
  return day >= 1 && day <= (days[month - 1] ?? 0) && hour <= 23 && minute <= 59 && second <= 60;
}

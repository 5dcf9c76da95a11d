/** LabelTime: A label of the format rfc3339 holds a time. */
import type { Rule } from '../../rule.ts';
import { eachLabel, valueFix } from './label-values.ts';

const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

export const labelTime: Rule = {
  id: 'LabelTime',
  aliases: ['DL3053'],
  severity: 'warning',
  summary: 'A label of the format rfc3339 holds a time',
  fixable: true,
  checks: {
    LABEL: (instruction, scope) =>
      eachLabel(instruction, scope, 'rfc3339', ({ name, value, range }) => {
        if (isValid(value)) return;
        scope.report({
          message: `label '${name}' should be a time such as 2024-05-01T12:00:00Z, not '${value}'`,
          range,
          ...valueFix(scope, range, asTime(value)),
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

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');

/** A day, or a time without its zone, as the whole time that is meant. */
function asTime(value: string): string | undefined {
  const [, number, month, year] = /^(\d{1,2})\.? ([A-Za-z]{3,9})\.?,? (\d{4})$/.exec(value) ?? [];
  const index = MONTHS.indexOf(month?.slice(0, 3).toLowerCase() ?? '') + 1;
  const named = `${year ?? ''}-${String(index).padStart(2, '0')}-${(number ?? '').padStart(2, '0')}`;
  const time = [`${value}Z`, `${value}T00:00:00Z`, `${named}T00:00:00Z`].find(isValid);
  return time?.replace(' ', 'T');
}

/** UppercaseInstructions: instructions are in capitals, also in a file that has all of them in small letters. */
import { replace, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';
import { eachKnown, mostlyLower } from './consistent-instruction-casing.ts';

export const uppercaseInstructions: Rule = {
  id: 'UppercaseInstructions',
  aliases: ['CASING_INSTRUCTION'],
  severity: 'information',
  optional: true,
  summary: 'Instructions are in capitals',
  fixable: true,
  checks: {
    file: (file, { report }) => {
      if (!mostlyLower(file)) return;
      eachKnown(file, ({ keyword: { text, range } }) => {
        const wanted = text.toUpperCase();
        if (text !== text.toLowerCase()) return;
        const fix = safeFix(`Change to ${wanted}`, replace(range, wanted));
        report({ message: `instructions are written in capitals: ${wanted}`, range, fix });
      });
    },
  },
};

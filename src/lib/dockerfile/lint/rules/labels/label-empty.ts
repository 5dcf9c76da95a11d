/** LabelEmpty: a label of the schema has a value. */
import type { Rule } from '../../rule.ts';
import { labelName, labelValue } from './label-values.ts';

export const labelEmpty: Rule = {
  id: 'LabelEmpty',
  aliases: ['DL3051'],
  severity: 'warning',
  summary: 'A label of label-schema has a value',
  fixable: false,
  checks: {
    LABEL: ({ pairs }, { options, report }) => {
      for (const pair of pairs) {
        if (!options.labelSchema.has(labelName(pair)) || labelValue(pair) !== '') continue;
        report({ message: `label '${labelName(pair)}' is empty`, range: pair.range });
      }
    },
  },
};

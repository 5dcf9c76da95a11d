/** LabelEmpty: a label of the schema has a value. */
import { removeInstruction, removeWord, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';
import { labelName, labelValue } from './label-values.ts';

export const labelEmpty: Rule = {
  id: 'LabelEmpty',
  aliases: ['DL3051'],
  severity: 'warning',
  summary: 'A label of label-schema has a value',
  fixable: true,
  checks: {
    LABEL: (instruction, { file, options, report }) => {
      const { pairs } = instruction;
      for (const pair of pairs) {
        if (!options.labelSchema.has(labelName(pair)) || labelValue(pair) !== '') continue;
        const isOnly = pairs.length === 1;
        const edit = isOnly ? removeInstruction(file, instruction) : removeWord(file, pair.range);
        const fix = suggestedFix('Remove the label', edit);
        report({ message: `label '${labelName(pair)}' is empty`, range: pair.range, fix });
      }
    },
  },
};

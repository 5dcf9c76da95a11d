/** LabelSuperfluous: with strict labels, the image has no label that the schema does not name. */
import { removeInstruction, removeWord, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';
import { labelName } from './label-values.ts';

export const labelSuperfluous: Rule = {
  id: 'LabelSuperfluous',
  aliases: ['DL3050'],
  severity: 'information',
  summary: 'With strict-labels, labels are those of label-schema',
  fixable: true,
  checks: {
    LABEL: (instruction, { file, options, report }) => {
      if (!options.strictLabels) return;
      for (const pair of instruction.pairs) {
        const name = labelName(pair);
        if (options.labelSchema.has(name)) continue;
        const alone = instruction.pairs.length === 1;
        const edit = alone ? removeInstruction(file, instruction) : removeWord(file, pair.range);
        const fix = suggestedFix(`Remove label ${name}`, edit);
        report({
          message: `label '${name}' is not in the label schema`,
          range: pair.name.range,
          fix,
        });
      }
    },
  },
};

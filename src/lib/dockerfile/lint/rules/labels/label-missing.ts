/** LabelMissing: the image has every label of the configuration's schema. */
import type { Rule } from '../../rule.ts';
import { labelName } from './label-values.ts';

export const labelMissing: Rule = {
  id: 'LabelMissing',
  aliases: ['DL3049'],
  severity: 'information',
  summary: 'The image has every label of label-schema',
  fixable: false,
  checks: {
    file: (file, { facts, options, report }) => {
      const target = file.stages.at(-1);
      if (target === undefined || options.labelSchema.size === 0) return;
      const present = new Set<string>();
      for (const { instructions } of facts.chainOf(target)) {
        for (const instruction of instructions)
          if (instruction.kind === 'LABEL')
            for (const pair of instruction.pairs) present.add(labelName(pair));
      }
      for (const name of options.labelSchema.keys()) {
        if (present.has(name)) continue;
        report({ message: `label '${name}' is missing`, range: target.from.keyword.range });
      }
    },
  },
};

/** InvalidLabelKey: a label's key is in small letters, digits, dots and dashes, and in no namespace of Docker's own. */
import { replace, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';
import { labelName } from './label-values.ts';

const KEY = /^[a-z](?:[a-z0-9]|[.-](?=[a-z0-9]))*(?:\/[a-z0-9](?:[a-z0-9]|[._-](?=[a-z0-9]))*)?$/;
const RESERVED = /^(com\.docker|io\.docker|org\.dockerproject)\./;

export const invalidLabelKey: Rule = {
  id: 'InvalidLabelKey',
  aliases: ['DL3048'],
  severity: 'hint',
  summary: 'A label key has small letters, digits, single dots and dashes',
  fixable: true,
  checks: {
    LABEL: ({ pairs }, { report }) => {
      for (const pair of pairs) {
        const key = labelName(pair);
        const { range } = pair.name;
        if (key === '' || key.includes('$')) continue;
        if (RESERVED.test(key)) {
          report({
            message: `label '${key}' is in a namespace that Docker keeps for itself`,
            range,
          });
        } else if (!KEY.test(key)) {
          const better = key.toLowerCase().replaceAll(/[_\s]+/g, '-');
          const fix = suggestedFix(`Change to ${better}`, replace(range, better));
          const message = `label key '${key}': use small letters, digits, single dots and dashes`;
          report({ message, range, ...(KEY.test(better) ? { fix } : {}) });
        }
      }
    },
  },
};

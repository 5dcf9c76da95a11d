/** HealthcheckMissing: the image says how to see that it is well. */
import type { Rule } from '../../rule.ts';

export const healthcheckMissing: Rule = {
  id: 'HealthcheckMissing',
  aliases: ['DL3057'],
  severity: 'information',
  optional: true,
  summary: 'The last stage has a HEALTHCHECK',
  fixable: false,
  checks: {
    file: (file, { facts, report }) => {
      const target = file.stages.at(-1);
      if (target === undefined) return;
      const chain = facts.chainOf(target);
      if (chain.some(({ instructions }) => instructions.some(({ kind }) => kind === 'HEALTHCHECK')))
        return;
      report({
        message: 'no HEALTHCHECK says how to see that the container is well',
        range: target.from.keyword.range,
      });
    },
  },
};

/** InvalidDefaultArgInFrom: with the arguments' defaults, FROM names a valid image. */
import { tryReference } from '../../../../image/reference.ts';
import type { Rule } from '../../rule.ts';

export const invalidDefaultArgInFrom: Rule = {
  id: 'InvalidDefaultArgInFrom',
  aliases: ['BASE_NAME_EMPTY'],
  severity: 'warning',
  summary: 'The defaults of the arguments make FROM a valid image name',
  fixable: false,
  checks: {
    FROM: (from, { facts, report }) => {
      if (!from.image.text.includes('$')) return;
      const { text, undeclared } = facts.imageOf(from);
      if (undeclared.length > 0 || tryReference(text) !== undefined) return;
      const result = text === '' ? 'nothing' : `'${text}'`;
      const message = `with the default arguments this is ${result}, which is no image name: give the ARG a default`;
      report({ message, range: from.image.range });
    },
  },
};

/** NonBreakingSpace: what separates words is a plain space; the non-breaking one looks like it and is none. */
import { replace, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

const LIMIT = 20;
const LOOKED = 500;

export const nonBreakingSpace: Rule = {
  id: 'NonBreakingSpace',
  aliases: ['SC1018'],
  severity: 'error',
  summary: 'Words are separated by plain spaces',
  fixable: true,
  checks: {
    script: ({ tree, parts }, { file, report }) => {
      const { start, end } = tree.range;
      if (!tree.text.includes('\u00a0')) return;
      const quoted = parts
        .filter(({ part }) => part.kind === 'single' || part.kind === 'double')
        .map(({ part }) => part.range);
      let found = 0;
      let looked = 0;
      for (
        let at = file.text.indexOf('\u00a0', start);
        at >= 0 && at < end;
        at = file.text.indexOf('\u00a0', at + 1)
      ) {
        const place = at;
        if (++looked > LOOKED) return;
        if (quoted.some((range) => place >= range.start && place < range.end)) continue;
        const range = { start: at, end: at + 1 };
        const fix = safeFix('Change to a space', replace(range, ' '));
        report({
          message: 'this is a non-breaking space, which the shell takes as a letter',
          range,
          fix,
        });
        if (++found >= LIMIT) return;
      }
    },
  },
};

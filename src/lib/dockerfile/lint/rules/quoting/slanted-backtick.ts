/** SlantedBacktick: commands are substituted by backticks, not by acute accents. */
import { replace, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const slantedBacktick: Rule = {
  id: 'SlantedBacktick',
  aliases: ['SC1077'],
  severity: 'error',
  summary: 'A backtick is not an acute accent',
  fixable: true,
  checks: {
    script: ({ parts, tree }, { file, report }) => {
      if (!tree.text.includes('´')) return;
      for (const { part } of parts) {
        if (part.kind !== 'literal' || !part.text.includes('´')) continue;
        const start = file.text.indexOf('´', part.range.start);
        if (start < 0 || start >= part.range.end) continue;
        const places = [...file.text.slice(part.range.start, part.range.end).matchAll(/´/g)];
        const last = part.range.start + (places.at(-1)?.index ?? 0);
        const range = { start, end: last + 1 };
        const edits = places.map(({ index }) => {
          const at = part.range.start + index;
          return replace({ start: at, end: at + 1 }, '`');
        });
        const fix = suggestedFix('Change to backticks', ...edits);
        report({
          message: 'this is an acute accent: a command is substituted with $(…) or backticks',
          range,
          ...(edits.length % 2 === 0 ? { fix } : {}),
        });
      }
    },
  },
};

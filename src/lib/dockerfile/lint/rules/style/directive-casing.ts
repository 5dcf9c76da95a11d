/** DirectiveCasing: parser directives are in small letters. */
import { replace, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const directiveCasing: Rule = {
  id: 'DirectiveCasing',
  aliases: ['CASING_DIRECTIVE'],
  severity: 'warning',
  summary: 'Parser directives are in small letters',
  fixable: true,
  checks: {
    file: ({ directives, text }, { report }) => {
      for (const directive of [directives.syntax, directives.escape, directives.check]) {
        if (directive === undefined) continue;
        const written = /^#\s*([a-zA-Z][a-zA-Z0-9]*)/.exec(
          text.slice(directive.range.start, directive.range.end),
        );
        const name = written?.[1] ?? '';
        if (written === null || name === name.toLowerCase()) continue;
        const end = directive.range.start + written[0].length;
        const range = { start: end - name.length, end };
        const lower = name.toLowerCase();
        const fix = safeFix(`Change to ${lower}`, replace(range, lower));
        report({ message: `directive '${name}' should be in small letters: ${lower}`, range, fix });
      }
    },
  },
};

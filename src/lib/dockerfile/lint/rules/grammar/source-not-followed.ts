/** SourceNotFollowed: a script that is read in by another is not looked at. */
import type { Rule } from '../../rule.ts';

export const sourceNotFollowed: Rule = {
  id: 'SourceNotFollowed',
  aliases: ['SC1091', 'SC1090'],
  severity: 'information',
  summary: 'No script is read in that the linter cannot follow',
  fixable: false,
  optional: true,
  checks: {
    calls: ['.', 'source'],
    call: ({ arguments: words }, { report }) => {
      const [path] = words;
      if (path === undefined) return;
      report({
        message: `what ${path.text} does to variables is not known here`,
        range: path.range,
      });
    },
  },
};

/** FunctionParameters: a function of the shell declares no parameters. */
import { remove, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const functionParameters: Rule = {
  id: 'FunctionParameters',
  aliases: ['SC1065'],
  severity: 'error',
  summary: 'A function declares no parameters',
  fixable: true,
  checks: {
    script: ({ tree }, { file, report }) => {
      for (const { code, range } of tree.problems) {
        const { start } = range;
        if (code !== 'unexpected-token' || !/\w/.test(file.text[start - 1] ?? '')) continue;
        const list = /^\(([^()]*)\)\s*\{/.exec(file.text.slice(start, start + 200))?.[1];
        if (list === undefined) continue;
        const inner = { start: start + 1, end: start + 1 + list.length };
        const fix = suggestedFix('Remove the parameters', remove(inner));
        report({
          message: 'functions of the shell declare no parameters: they are $1, $2 and so on',
          range: inner,
          fix,
        });
      }
    },
  },
};

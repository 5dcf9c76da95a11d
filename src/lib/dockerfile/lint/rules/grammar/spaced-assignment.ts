/** SpacedAssignment: no spaces stand around the equals sign of an assignment. */
import { replace, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

/** Programs whose first argument may well begin with an equals sign: `chmod =755`. */
const TAKING = new Set(['chmod', 'setfacl', 'echo', 'printf', 'grep', 'test', 'expr', 'date']);

export const spacedAssignment: Rule = {
  id: 'SpacedAssignment',
  aliases: ['SC1068', 'SC2283'],
  severity: 'error',
  summary: 'No spaces stand around an equals sign',
  fixable: true,
  checks: {
    call: ({ nameWord, arguments: words, script }, { report }) => {
      const [first, second] = words;
      if (
        script === undefined ||
        first === undefined ||
        !/^\$?[A-Za-z_]\w*$/.test(nameWord.text) ||
        TAKING.has(nameWord.text) ||
        !/^=([^=~]|$)/.test(first.text)
      )
        return;
      const lone = first.text === '=';
      const start = nameWord.range.end;
      const end = lone ? (second?.range.start ?? first.range.end) : first.range.start;
      const fix = suggestedFix('Remove the spaces', replace({ start, end }, lone ? '=' : ''));
      const message = `${nameWord.text} runs as a command here: an assignment has no spaces around =`;
      report({
        message,
        range: { start: first.range.start, end: first.range.start + 1 },
        fix,
      });
    },
  },
};

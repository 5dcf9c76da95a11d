/** SpaceBeforeComment: a space stands before the hash that begins a comment. */
import { insert, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const spaceBeforeComment: Rule = {
  id: 'SpaceBeforeComment',
  aliases: ['SC1099'],
  severity: 'error',
  summary: 'A space stands before a comment',
  fixable: true,
  checks: {
    call: ({ nameWord, script }, { report }) => {
      const { text, range } = nameWord;
      const keyword = /^(\}|done|fi|esac|do|then|else)#/.exec(text)?.[1];
      if (script === undefined || keyword === undefined) return;
      const at = range.start + keyword.length;
      const fix = safeFix('Add a space', insert(at, ' '));
      report({
        message: 'a # begins a comment only behind a space',
        range: { start: at, end: at + 1 },
        fix,
      });
    },
  },
};

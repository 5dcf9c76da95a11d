/** MissingSpace: brackets of a test and the words around them are separated by spaces. */
import type { Range } from '../../../syntax.ts';
import { insert, safeFix } from '../../edits.ts';
import type { ShellCall } from '../../shell/script.ts';
import type { Rule } from '../../rule.ts';

export const missingSpace: Rule = {
  id: 'MissingSpace',
  aliases: ['SC1035', 'SC1019', 'SC1020'],
  severity: 'error',
  summary: 'Spaces stand around the brackets of a test',
  fixable: true,
  checks: {
    call: (call, { report }) => {
      const found = call.script === undefined ? undefined : missing(call);
      if (found === undefined) return;
      const fix = safeFix('Add a space', insert(found.at, ' '));
      report({ message: 'a space is missing here', range: found.range, fix });
    },
  },
};

function missing({
  nameWord,
  arguments: words,
}: ShellCall): { range: Range; at: number } | undefined {
  const { text, range } = nameWord;
  const keyword = /^(if|elif|while|until|!)\[{1,2}$/.exec(text)?.[1];
  if (keyword !== undefined) return { range, at: range.start + keyword.length };
  if (/^\[-[a-z]$/.test(text)) return { range, at: range.start + 1 };
  const last = words.at(-1);
  if (text !== '[' || last === undefined || !/.\]$/.test(last.text) || /[*?[]/.test(last.text))
    return undefined;
  return { range: last.range, at: last.range.end - 1 };
}

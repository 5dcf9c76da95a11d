/** MissingSpace: brackets of a test and the words around them are separated by spaces. */
import type { Range } from '../../../syntax.ts';
import { insert, safeFix } from '../../edits.ts';
import type { ShellCall } from '../../shell/script.ts';
import type { LintFinding, Rule } from '../../rule.ts';
import type { ShellWord } from '../../../shell/syntax.ts';

export const missingSpace: Rule = {
  id: 'MissingSpace',
  aliases: ['SC1035', 'SC1019', 'SC1020', 'SC1069'],
  severity: 'error',
  summary: 'Spaces stand around the brackets of a test',
  fixable: true,
  checks: {
    call: (call, { report }) => {
      if (call.script === undefined) return;
      for (const { range, at } of missing(call)) report(findingAt(range, at));
    },
    script: ({ commands }, { report }) => {
      for (const command of commands) {
        if (command.kind !== 'test') continue;
        for (const range of command.words.slice(1).flatMap(afterOperator)) report(findingAt(range));
      }
    },
  },
};

/** The space belongs to `at`. */
function findingAt(range: Range, at = range.start): LintFinding {
  return {
    message: 'a space is missing here',
    range,
    fix: safeFix('Add a space', insert(at, ' ')),
  };
}

interface Missing {
  readonly range: Range;
  readonly at: number;
}

function missing({ nameWord, arguments: words }: ShellCall): Missing[] {
  const { text, range } = nameWord;
  const last = words.at(-1);
  const [, before] =
    /^((?:if|elif|while|until|!)(?=\[{1,2}$)|!(?=[-\w./[$"])|\[{1,2}(?=[^[\]]))/.exec(text) ?? [];
  // `[a-z]*` may well be the name of a program.
  const isTest = before?.startsWith('[') !== true || /^\]{1,2}$/.test(last?.text ?? '');
  if (before !== undefined && isTest) {
    const at = range.start + before.length;
    return [{ range: { start: before.startsWith('[') ? range.start : at, end: range.end }, at }];
  }
  if (text !== '[' || last === undefined) return [];
  const found = words.slice(1).flatMap(afterOperator);
  if (/.\]$/.test(last.text) && !/[*?[]/.test(last.text))
    found.push({ start: last.range.end - 1, end: last.range.end });
  return found.map((each) => ({ range: each, at: each.start }));
}

/** `=b` in `[ a =b ]`. */
function afterOperator({ text, range }: ShellWord): Range[] {
  const [operator] = /^(==?|!=)(?=[^=~\s])/.exec(text) ?? [];
  return operator === undefined ? [] : [{ start: range.start + operator.length, end: range.end }];
}

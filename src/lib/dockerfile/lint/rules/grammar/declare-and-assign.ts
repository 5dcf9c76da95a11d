/** DeclareAndAssign: a declaration and the command that gives its value are two commands, so that a failure is seen. */
import type { ShellWord, WordPart } from '../../../shell/syntax.ts';
import { replace, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const declareAndAssign: Rule = {
  id: 'DeclareAndAssign',
  aliases: ['SC2155'],
  severity: 'warning',
  summary: 'Declaring and assigning a command result are two commands',
  fixable: true,
  checks: {
    calls: ['export', 'local', 'declare', 'typeset', 'readonly'],
    call: ({ name, nameWord, arguments: words, script }, { report }) => {
      if (script === undefined) return;
      for (const word of words) {
        const variable = /^([A-Za-z_]\w*)=/.exec(word.text)?.[1];
        if (variable === undefined || !word.parts.some(isCommand)) continue;
        const fix = suggestedFix('Make two commands of it', split(nameWord, word, variable));
        const alone = words.length === 1 && name !== 'readonly';
        const message = `whether the command fails is lost, since ${name} succeeds: assign, then ${name} ${variable}`;
        report({ message, range: word.range, ...(alone ? { fix } : {}) });
      }
    },
  },
};

function isCommand(part: WordPart): boolean {
  return (
    part.kind === 'command' ||
    (part.kind === 'double' && part.parts.some(({ kind }) => kind === 'command'))
  );
}

function split(nameWord: ShellWord, word: ShellWord, variable: string) {
  return replace(
    { start: nameWord.range.start, end: word.range.start },
    `${nameWord.text} ${variable} && `,
  );
}

/** ShellSyntax: a script is one that its shell can read. More exact rules come first: what they explain is left to them. */
import type { Command, ShellProblem } from '../../../shell/syntax.ts';
import type { Script } from '../../shell/script.ts';
import type { Rule } from '../../rule.ts';
import { semicolons } from './ampersand-semicolon.ts';
import { isMiscased } from './keyword-casing.ts';
import { swallowedKeywords } from './missing-separator.ts';

export const shellSyntax: Rule = {
  id: 'ShellSyntax',
  aliases: ['SC1072', 'SC1073', 'SC1009'],
  severity: 'error',
  summary: 'The shell can read a script',
  fixable: false,
  checks: {
    script: (script, { file, report }) => {
      const { problems } = script.tree;
      if (problems.length === 0 || isExplained(script, file.text)) return;
      for (const { code, message, range } of problems)
        if (code !== 'unclosed-quote') report({ message, range });
    },
  },
};

function isExplained(script: Script, text: string): boolean {
  if (swallowedKeywords(script).length > 0 || semicolons(script, text).length > 0) return true;
  if (
    script.calls.some(
      ({ name, nameWord }) =>
        name === 'eval' ||
        isMiscased(nameWord.text) ||
        /^(if|elif|while|until)\[|^\S+#/.test(nameWord.text),
    )
  )
    return true;
  if (script.commands.some(isTold)) return true;
  return script.tree.problems.some((problem) => isParameterList(problem, text));
}

/** A command with a mistake that another rule tells. */
function isTold(command: Command): boolean {
  if (command.kind === 'test') return command.words.some(({ text }) => /^(==?|!=)[^=~]/.test(text));
  return command.kind === 'function' && command.name?.text.endsWith('{') === true;
}

function isParameterList({ code, range }: ShellProblem, text: string): boolean {
  return (
    code === 'unexpected-token' &&
    /^\w\([^()]*\)\s*\{/.test(text.slice(Math.max(0, range.start - 1), range.start + 200))
  );
}

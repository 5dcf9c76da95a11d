/** MissingSeparator: a closing word such as done stands behind a semicolon or on a line of its own. */
import type { ShellWord } from '../../../shell/syntax.ts';
import { insert, safeFix } from '../../edits.ts';
import type { Script } from '../../shell/script.ts';
import type { Rule } from '../../rule.ts';

const WORDS = new Set(['done', 'fi', 'esac', 'then', 'do']);

export const missingSeparator: Rule = {
  id: 'MissingSeparator',
  aliases: ['SC1010'],
  severity: 'error',
  summary: 'A semicolon stands before done, fi and the like',
  fixable: true,
  checks: {
    script: (script, { report }) => {
      for (const { word, before } of swallowedKeywords(script)) {
        const fix = safeFix('Add a semicolon', insert(before.range.end, ';'));
        report({
          message: `${word.text} is an argument here: put a ; before it`,
          range: word.range,
          fix,
        });
      }
    },
  },
};

/** Keywords that became the last argument of a command, in a script that misses one. */
export function swallowedKeywords({
  commands,
  tree,
}: Script): { word: ShellWord; before: ShellWord }[] {
  if (!tree.problems.some(({ code }) => code === 'missing-keyword' || code === 'unexpected-token'))
    return [];
  return commands.flatMap((command) => {
    if (command.kind !== 'simple' || command.name === undefined) return [];
    const word = command.arguments.at(-1);
    const before = command.arguments.at(-2) ?? command.name;
    return word !== undefined && WORDS.has(word.text) ? [{ word, before }] : [];
  });
}

/** MissingSeparator: a closing word such as done stands behind a semicolon or on a line of its own. */
import type { ShellWord } from '../../../shell/syntax.ts';
import { insert, safeFix, suggestedFix } from '../../edits.ts';
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
      const found = keywordArguments(script);
      if (found.length === 0) return;
      const isBroken = swallowedKeywords(script).length > 0;
      for (const { word, before } of found) {
        const { text, range } = word;
        const message = `${text} is an argument here: put a ; before it, or quote it`;
        if (isBroken) {
          report({
            message,
            range,
            fix: safeFix('Add a semicolon', insert(before.range.end, ';')),
          });
        } else {
          const edits = [insert(range.start, "'"), insert(range.end, "'")];
          report({
            message,
            range,
            severity: 'warning',
            fix: suggestedFix('Put it in quotes', ...edits),
          });
        }
      }
    },
  },
};

interface Swallowed {
  readonly word: ShellWord;
  readonly before: ShellWord;
}

/** Keywords that became arguments of a command, in a script that misses one. */
export function swallowedKeywords(script: Script): readonly Swallowed[] {
  const isBroken = script.tree.problems.some(
    ({ code }) => code === 'missing-keyword' || code === 'unexpected-token',
  );
  return isBroken ? keywordArguments(script) : [];
}

function keywordArguments({ commands }: Script): readonly Swallowed[] {
  return commands.flatMap((command) => {
    if (command.kind !== 'simple' || command.name === undefined) return [];
    const words = [command.name, ...command.arguments];
    return words.flatMap((word, index) => {
      const before = words[index - 1];
      return before !== undefined && WORDS.has(word.text) ? [{ word, before }] : [];
    });
  });
}

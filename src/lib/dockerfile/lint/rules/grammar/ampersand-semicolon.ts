/** AmpersandSemicolon: no semicolon follows an ampersand, which already ends the command. */
import { remove, safeFix } from '../../edits.ts';
import type { Script } from '../../shell/script.ts';
import type { Range } from '../../../syntax.ts';
import type { Rule } from '../../rule.ts';

export const ampersandSemicolon: Rule = {
  id: 'AmpersandSemicolon',
  aliases: ['SC1045'],
  severity: 'error',
  summary: 'No semicolon follows an ampersand',
  fixable: true,
  checks: {
    script: (script, { file, report }) => {
      for (const range of semicolons(script, file.text)) {
        const fix = safeFix('Remove the semicolon', remove(range));
        report({ message: '& already ends the command: no ; follows it', range, fix });
      }
    },
  },
};

/** The semicolons behind an ampersand. */
export function semicolons({ tree }: Script, text: string): Range[] {
  return tree.problems.flatMap(({ code, range }) => {
    const behind =
      text[range.start] === ';' &&
      /&\s*$/.test(text.slice(Math.max(0, range.start - 8), range.start));
    return code === 'unexpected-token' && behind
      ? [{ start: range.start, end: range.start + 1 }]
      : [];
  });
}

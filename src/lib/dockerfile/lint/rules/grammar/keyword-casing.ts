/** KeywordCasing: the shell's keywords are in small letters. */
import { replace, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

const KEYWORDS = new Set([
  'if',
  'then',
  'else',
  'elif',
  'fi',
  'for',
  'while',
  'until',
  'do',
  'done',
  'case',
  'esac',
  'function',
]);

export const keywordCasing: Rule = {
  id: 'KeywordCasing',
  aliases: ['SC1081'],
  severity: 'error',
  summary: 'Keywords of the shell are in small letters',
  fixable: true,
  checks: {
    call: ({ nameWord, script }, { report }) => {
      const { text, range } = nameWord;
      if (script === undefined || !isMiscased(text)) return;
      const lower = text.toLowerCase();
      const fix = safeFix(`Change to ${lower}`, replace(range, lower));
      report({ message: `the shell's keyword is ${lower}, in small letters`, range, fix });
    },
  },
};

/** A keyword that would be one in small letters. */
export function isMiscased(text: string): boolean {
  return text.length <= 8 && text !== text.toLowerCase() && KEYWORDS.has(text.toLowerCase());
}

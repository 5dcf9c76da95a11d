/** GlobLikeOption: a pattern does not begin with a wildcard, since a file may have a name like an option. */
import { insert, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

const HARMLESS = new Set([
  'echo',
  'printf',
  'find',
  'case',
  'export',
  'local',
  'declare',
  'set',
  'expr',
  '[',
  'test',
  'apt-get',
  'apt',
  'apk',
  'yum',
  'dnf',
  'zypper',
  'microdnf',
  'dpkg',
  'grep',
  'sed',
  'awk',
  'egrep',
]);

export const globLikeOption: Rule = {
  id: 'GlobLikeOption',
  aliases: ['SC2035'],
  severity: 'information',
  summary: 'A pattern begins with ./ rather than a wildcard',
  fixable: true,
  checks: {
    call: ({ name, arguments: words, script }, { report }) => {
      if (script === undefined || HARMLESS.has(name)) return;
      for (const { text, parts, range } of words) {
        if (text === '--') return;
        if (parts[0]?.kind !== 'glob' || !/^[*?]/.test(text)) continue;
        const fix = suggestedFix('Begin with ./', insert(range.start, './'));
        report({
          message: `a file whose name begins with a dash would be an option: ./${text}`,
          range,
          fix,
        });
      }
    },
  },
};

/** GlobLikeOption: a pattern does not begin with a wildcard, since a file may have a name like an option. */
import { insert, suggestedFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

/** These print what they are given. */
const HARMLESS = new Set(['echo', 'printf', '[']);

/** Their patterns are no files of the working folder: `./` would change what they mean. */
const NO_FILES = new Set(
  'find case export local declare expr test apt-get apt apk yum dnf zypper microdnf dpkg grep egrep sed awk'.split(
    ' ',
  ),
);

/** `dpkg -i` takes files. */
const INSTALL = /^(-\w*i|--install)$/;

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
        if (text === '--' || text === ':::' || text === '::::') return;
        if (parts[0]?.kind !== 'glob' || parts[0].text.startsWith('[')) continue;
        const isFile =
          !NO_FILES.has(name) || (name === 'dpkg' && INSTALL.test(words[0]?.text ?? ''));
        const fix = suggestedFix('Begin with ./', insert(range.start, './'));
        report({
          message: `a file whose name begins with a dash would be an option: ${isFile ? './' : 'quote '}${text}`,
          range: parts[0].range,
          ...(isFile ? { fix } : {}),
        });
      }
    },
  },
};

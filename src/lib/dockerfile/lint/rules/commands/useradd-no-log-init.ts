/** UseraddNoLogInit: useradd with a big id makes no log file of that size. */
import { insert, safeFix } from '../../edits.ts';
import { hasOption, readCommandLine } from '../../shell/options.ts';
import type { Rule } from '../../rule.ts';

const VALUES = [
  'b',
  'c',
  'd',
  'e',
  'f',
  'g',
  'G',
  'k',
  'K',
  'p',
  'r',
  's',
  'u',
  'Z',
  'uid',
  'gid',
  'groups',
  'home-dir',
  'shell',
  'comment',
  'base-dir',
  'password',
  'skel',
].filter((name) => name !== 'r');

export const useraddNoLogInit: Rule = {
  id: 'UseraddNoLogInit',
  aliases: ['DL3046'],
  severity: 'warning',
  summary: 'useradd with a big id has -l',
  fixable: true,
  checks: {
    calls: ['useradd'],
    call: (call, { report }) => {
      const line = readCommandLine(call, VALUES);
      const uid = line.options.find(({ name }) => name === 'u' || name === 'uid')?.value ?? '';
      if (!/^\d{6,}$/.test(uid.replaceAll(/["']/g, '')) || hasOption(line, 'l', 'no-log-init'))
        return;
      const { range } = call.nameWord;
      const message = `with id ${uid} useradd makes /var/log/lastlog gigabytes long: add -l`;
      report({ message, range, fix: safeFix('Add -l', insert(range.end, ' -l')) });
    },
  },
};

/** WgetProgress: wget does not fill the build's log with its progress bar. */
import { insert, safeFix } from '../../edits.ts';
import { readCommandLine } from '../../shell/options.ts';
import type { Rule } from '../../rule.ts';

const QUIET = [
  'progress',
  'q',
  'quiet',
  'nv',
  'no-verbose',
  'o',
  'output-file',
  'a',
  'append-output',
  'b',
  'background',
  'V',
  'version',
  'spider',
  'h',
  'help',
];
const VALUES = [
  'O',
  'output-document',
  'o',
  'output-file',
  'a',
  'append-output',
  'P',
  'directory-prefix',
  't',
  'tries',
  'T',
  'timeout',
  'U',
  'user-agent',
  'i',
  'e',
  'header',
  'post-data',
  'user',
  'password',
  'nv',
  'nc',
  'np',
  'nd',
  'nH',
];

export const wgetProgress: Rule = {
  id: 'WgetProgress',
  aliases: ['DL3047'],
  severity: 'information',
  summary: 'wget has --progress=dot:giga, or is quiet',
  fixable: true,
  checks: {
    calls: ['wget'],
    call: (call, { report }) => {
      if (call.arguments.length === 0 || call.arguments.some(({ text }) => text === '-nv')) return;
      const { options } = readCommandLine(
        call,
        VALUES.filter((name) => !/^n.$/.test(name)),
      );
      if (options.some(({ name }) => QUIET.includes(name))) return;
      const { range } = call.nameWord;
      const fix = safeFix('Add --progress=dot:giga', insert(range.end, ' --progress=dot:giga'));
      report({
        message: `wget's progress bar fills the log: add --progress=dot:giga or -nv`,
        range,
        fix,
      });
    },
  },
};

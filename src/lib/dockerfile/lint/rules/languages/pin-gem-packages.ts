/** PinGemPackages: gem install says which version of each gem it wants. */
import type { ShellWord } from '../../../shell/syntax.ts';
import { hasOption, isOpen, readCommandLine } from '../../shell/options.ts';
import { pinningCheck } from '../../shell/pinning.ts';
import type { ShellCall } from '../../shell/script.ts';
import type { Rule } from '../../rule.ts';

const VALUES = [
  'v',
  'version',
  'i',
  'install-dir',
  'n',
  'bindir',
  'P',
  'trust-policy',
  's',
  'source',
  'p',
  'http-proxy',
  'platform',
  'B',
  'g',
  'file',
  'document',
  'use-system-libraries',
];

export const pinGemPackages: Rule = {
  id: 'PinGemPackages',
  aliases: ['DL3028'],
  severity: 'warning',
  summary: 'gem install gives versions',
  fixable: false,
  checks: {
    calls: ['gem'],
    call: pinningCheck(unpinned, (name) => `${name}:<version>`),
  },
};

function unpinned(call: ShellCall): readonly ShellWord[] {
  // Behind -- stand options of the gems' own build.
  const end = call.arguments.findIndex(({ text }) => text === '--');
  const words = end < 0 ? call.arguments : call.arguments.slice(0, end);
  const line = readCommandLine({ ...call, arguments: words }, VALUES);
  const [action, ...gems] = line.operands;
  if (!['install', 'i'].includes(action?.text ?? '') || hasOption(line, 'v', 'version')) return [];
  return gems.filter((word) => !isOpen(word) && !/:|\.gem$/.test(word.text));
}

/** PinGoPackages: go install says which version of a module it wants. */
import type { ShellWord } from '../../../shell/syntax.ts';
import { readCommandLine } from '../../shell/options.ts';
import { pinningCheck } from '../../shell/pinning.ts';
import type { ShellCall } from '../../shell/script.ts';
import type { Rule } from '../../rule.ts';

const VALUES = [
  'ldflags',
  'gcflags',
  'asmflags',
  'tags',
  'mod',
  'modfile',
  'o',
  'p',
  'buildmode',
  'pkgdir',
  'toolexec',
  'C',
];

export const pinGoPackages: Rule = {
  id: 'PinGoPackages',
  aliases: ['DL3062'],
  severity: 'warning',
  summary: 'go install gives versions',
  fixable: false,
  checks: {
    calls: ['go'],
    call: pinningCheck(unpinned, (name) => `${name.replace(/@.*/, '')}@<version>`),
  },
};

function unpinned(call: ShellCall): readonly ShellWord[] {
  const [action, ...packages] = readCommandLine(call, VALUES).operands;
  if (!['install', 'run', 'get'].includes(action?.text ?? '')) return [];
  // A module that is fetched has a host with a dot in its path.
  const fetched = packages.filter(({ value }) => /^[\w-]+(\.[\w-]+)+\//.test(value ?? ''));
  return fetched.filter(({ text }) => !/@(?!latest$|upgrade$|master$|main$|HEAD$)./.test(text));
}

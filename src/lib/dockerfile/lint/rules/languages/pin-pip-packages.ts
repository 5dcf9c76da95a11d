/** PinPipPackages: pip install says which version of each package it wants. */
import type { ShellWord } from '../../../shell/syntax.ts';
import { hasOption } from '../../shell/options.ts';
import { pinningCheck } from '../../shell/pinning.ts';
import type { ShellCall } from '../../shell/script.ts';
import type { Rule } from '../../rule.ts';
import { pipInstall, PIP_NAMES } from './pip.ts';

export const pinPipPackages: Rule = {
  id: 'PinPipPackages',
  aliases: ['DL3013'],
  severity: 'warning',
  summary: 'pip install gives versions',
  fixable: false,
  checks: {
    calls: PIP_NAMES,
    call: pinningCheck(unpinned, (name) => `${name}==<version>`),
  },
};

/** None where a constraint file gives the versions. */
function unpinned(call: ShellCall): readonly ShellWord[] {
  const install = pipInstall(call);
  if (install === undefined || hasOption(install.line, 'c', 'constraint')) return [];
  return install.packages.filter(({ value }) => value !== undefined && !isPinned(value));
}

/** A version, a file or folder, a revision of a repository. */
function isPinned(text: string): boolean {
  if (/^(git|hg|svn|bzr)\+/.test(text))
    return /@[^/@]+$|@[^@]+#/.test(text.replace(/^\w+\+\w+:\/\/[^/]*/, ''));
  return /[=<>~!@]|\/|^\.$|\.(whl|zip|tar(\.\w+)?|tgz)$|:\/\//.test(text);
}

/** PinPipPackages: pip install says which version of each package it wants. */
import { pinningCheck } from '../../shell/pinning.ts';
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
    call: pinningCheck(
      (call) =>
        (pipInstall(call)?.packages ?? []).filter(
          ({ value }) => value !== undefined && !isPinned(value),
        ),
      (name) => `${name}==<version>`,
    ),
  },
};

/** A version, a file or folder, a revision of a repository. */
function isPinned(text: string): boolean {
  if (/^(git|hg|svn|bzr)\+/.test(text))
    return /@[^/@]+$|@[^@]+#/.test(text.replace(/^\w+\+\w+:\/\/[^/]*/, ''));
  return /[=<>~!@]|^[./]|\/$|\.(whl|zip|tar(\.\w+)?|tgz)$|:\/\//.test(text);
}

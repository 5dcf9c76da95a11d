/** PinAptPackages: apt-get install says which version of each package it wants. */
import { pinningCheck } from '../../shell/pinning.ts';
import type { Rule } from '../../rule.ts';
import { installedNames } from './apt.ts';

export const pinAptPackages: Rule = {
  id: 'PinAptPackages',
  aliases: ['DL3008'],
  severity: 'warning',
  summary: 'apt-get install gives versions',
  fixable: false,
  checks: {
    calls: ['apt-get', 'apt', 'aptitude'],
    call: pinningCheck(
      (call) => installedNames(call).filter(({ text }) => !/[=/]/.test(text)),
      (name) => `${name}=<version>`,
    ),
  },
};

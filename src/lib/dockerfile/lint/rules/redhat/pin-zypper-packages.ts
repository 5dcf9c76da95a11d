/** PinZypperPackages: zypper install says which version of each package it wants. */
import { pinningCheck } from '../../shell/pinning.ts';
import type { Rule } from '../../rule.ts';
import { rpmCommand, unpinned } from './rpm.ts';

const NAMES = ['zypper'];
const VERSION = /[<>=]/;

export const pinZypperPackages: Rule = {
  id: 'PinZypperPackages',
  aliases: ['DL3037'],
  severity: 'warning',
  summary: 'zypper install gives versions',
  fixable: false,
  checks: {
    calls: NAMES,
    call: pinningCheck(
      (call) => {
        const command = rpmCommand(call, NAMES);
        return command === undefined ? [] : unpinned(command, VERSION);
      },
      (name) => `${name}=<version>`,
    ),
  },
};

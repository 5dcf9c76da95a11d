/** PinYumPackages: yum install says which version of each package it wants. */
import { pinningCheck } from '../../shell/pinning.ts';
import type { Rule } from '../../rule.ts';
import { rpmCommand, unpinned } from './rpm.ts';

const NAMES = ['yum'];
const VERSION = /-\d|[<>=]/;

export const pinYumPackages: Rule = {
  id: 'PinYumPackages',
  aliases: ['DL3033'],
  severity: 'warning',
  summary: 'yum install gives versions',
  fixable: false,
  checks: {
    calls: NAMES,
    call: pinningCheck(
      (call) => {
        const command = rpmCommand(call, NAMES);
        return command === undefined ? [] : unpinned(command, VERSION);
      },
      (name) => `${name}-<version>`,
    ),
  },
};

/** PinDnfPackages: dnf install says which version of each package it wants. */
import { pinningCheck } from '../../shell/pinning.ts';
import type { Rule } from '../../rule.ts';
import { rpmCommand, unpinned } from './rpm.ts';

const NAMES = ['dnf', 'microdnf', 'tdnf'];
const VERSION = /-\d|[<>=]/;

export const pinDnfPackages: Rule = {
  id: 'PinDnfPackages',
  aliases: ['DL3041'],
  severity: 'warning',
  summary: 'dnf install gives versions',
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

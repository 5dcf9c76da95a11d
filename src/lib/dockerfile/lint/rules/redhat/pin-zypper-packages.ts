/** PinZypperPackages: zypper install says which version of each package it wants. */
import type { Rule } from '../../rule.ts';
import { pinsVersions } from './rpm.ts';

export const pinZypperPackages: Rule = {
  id: 'PinZypperPackages',
  aliases: ['DL3037'],
  severity: 'warning',
  summary: 'zypper install gives versions',
  fixable: false,
  checks: pinsVersions(['zypper'], { version: /[<>=]/, form: (name) => `${name}=<version>` }),
};

/** PinYumPackages: yum install says which version of each package it wants. */
import type { Rule } from '../../rule.ts';
import { DASH_VERSION, pinsVersions } from './rpm.ts';

export const pinYumPackages: Rule = {
  id: 'PinYumPackages',
  aliases: ['DL3033'],
  severity: 'warning',
  summary: 'yum install gives versions',
  fixable: false,
  checks: pinsVersions(['yum'], DASH_VERSION),
};

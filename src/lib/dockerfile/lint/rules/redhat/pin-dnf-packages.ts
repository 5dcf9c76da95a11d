/** PinDnfPackages: dnf install says which version of each package it wants. */
import type { Rule } from '../../rule.ts';
import { DASH_VERSION, pinsVersions } from './rpm.ts';

export const pinDnfPackages: Rule = {
  id: 'PinDnfPackages',
  aliases: ['DL3041'],
  severity: 'warning',
  summary: 'dnf install gives versions',
  fixable: false,
  checks: pinsVersions(['dnf', 'microdnf', 'tdnf'], DASH_VERSION),
};

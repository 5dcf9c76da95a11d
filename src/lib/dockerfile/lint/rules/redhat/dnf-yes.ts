/** DnfYes: dnf asks no questions, since nobody is there to answer. */
import type { Rule } from '../../rule.ts';
import { assumesYes } from './rpm.ts';

export const dnfYes: Rule = {
  id: 'DnfYes',
  aliases: ['DL3038'],
  severity: 'warning',
  summary: 'dnf install has -y',
  fixable: true,
  checks: assumesYes(['dnf', 'microdnf', 'tdnf']),
};

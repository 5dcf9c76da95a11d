/** YumYes: yum asks no questions, since nobody is there to answer. */
import type { Rule } from '../../rule.ts';
import { assumesYes } from './rpm.ts';

export const yumYes: Rule = {
  id: 'YumYes',
  aliases: ['DL3030'],
  severity: 'warning',
  summary: 'yum install has -y',
  fixable: true,
  checks: assumesYes(['yum']),
};

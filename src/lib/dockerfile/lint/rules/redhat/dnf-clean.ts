/** DnfClean: what dnf fetches for itself does not stay in the image. */
import type { Rule } from '../../rule.ts';
import { cleansDnfCache } from './rpm.ts';

export const dnfClean: Rule = {
  id: 'DnfClean',
  aliases: ['DL3040'],
  severity: 'warning',
  summary: 'The cache of dnf is removed in the same RUN',
  fixable: true,
  checks: cleansDnfCache('dnf'),
};

/** MicrodnfClean: what microdnf fetches for itself does not stay in the image. */
import type { Rule } from '../../rule.ts';
import { cleansDnfCache } from './rpm.ts';

export const microdnfClean: Rule = {
  id: 'MicrodnfClean',
  aliases: ['DL3040'],
  severity: 'warning',
  summary: 'The cache of microdnf is removed in the same RUN',
  fixable: true,
  checks: cleansDnfCache('microdnf'),
};

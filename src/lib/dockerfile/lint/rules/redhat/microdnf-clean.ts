/** MicrodnfClean: what microdnf fetches for itself does not stay in the image. */
import { cleanupCheck, removes } from '../../shell/cleanup.ts';
import type { Rule } from '../../rule.ts';
import { ASKING, rpmCommand } from './rpm.ts';

const NAMES = ['microdnf'];

export const microdnfClean: Rule = {
  id: 'MicrodnfClean',
  aliases: ['DL3040'],
  severity: 'warning',
  summary: 'The cache of microdnf is removed in the same RUN',
  fixable: true,
  checks: {
    script: cleanupCheck({
      leaves: (call) => ASKING.includes(rpmCommand(call, NAMES)?.action.text ?? ''),
      cleans: (call) =>
        rpmCommand(call, NAMES)?.action.text === 'clean' ||
        ['/var/cache/dnf', '/var/cache/libdnf5', '/var/cache/yum'].some((folder) =>
          removes(call, folder),
        ),
      folders: ['/var/cache/dnf', '/var/cache/libdnf5', '/var/cache/yum'],
      message: 'what microdnf fetched stays in the image: end this RUN with microdnf clean all',
      command: 'microdnf clean all',
    }),
  },
};

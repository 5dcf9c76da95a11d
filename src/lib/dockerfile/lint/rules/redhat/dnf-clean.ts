/** DnfClean: what dnf fetches for itself does not stay in the image. */
import { cleanupCheck, removes } from '../../shell/cleanup.ts';
import type { Rule } from '../../rule.ts';
import { ASKING, rpmCommand } from './rpm.ts';

const NAMES = ['dnf'];

export const dnfClean: Rule = {
  id: 'DnfClean',
  aliases: ['DL3040'],
  severity: 'warning',
  summary: 'The cache of dnf is removed in the same RUN',
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
      message: 'what dnf fetched stays in the image: end this RUN with dnf clean all',
      command: 'dnf clean all',
    }),
  },
};

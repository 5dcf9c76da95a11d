/** YumClean: what yum fetches for itself does not stay in the image. */
import { cleanupCheck, removes } from '../../shell/cleanup.ts';
import type { Rule } from '../../rule.ts';
import { ASKING, rpmCommand } from './rpm.ts';

const NAMES = ['yum'];

export const yumClean: Rule = {
  id: 'YumClean',
  aliases: ['DL3032'],
  severity: 'warning',
  summary: 'The cache of yum is removed in the same RUN',
  fixable: true,
  checks: {
    script: cleanupCheck({
      leaves: (call) => ASKING.includes(rpmCommand(call, NAMES)?.action.text ?? ''),
      cleans: (call) =>
        rpmCommand(call, NAMES)?.action.text === 'clean' || removes(call, '/var/cache/yum'),
      folders: ['/var/cache/yum'],
      message: 'what yum fetched stays in the image: end this RUN with yum clean all',
      command: 'yum clean all',
    }),
  },
};

/** ZypperClean: what zypper fetches for itself does not stay in the image. */
import { cleanupCheck, removes } from '../../shell/cleanup.ts';
import type { Rule } from '../../rule.ts';
import { ASKING, rpmCommand } from './rpm.ts';

const NAMES = ['zypper'];

export const zypperClean: Rule = {
  id: 'ZypperClean',
  aliases: ['DL3036'],
  severity: 'warning',
  summary: 'The cache of zypper is removed in the same RUN',
  fixable: true,
  checks: {
    script: cleanupCheck({
      leaves: (call) => ASKING.includes(rpmCommand(call, NAMES)?.action.text ?? ''),
      cleans: (call) =>
        /^(clean|cc)$/.test(rpmCommand(call, NAMES)?.action.text ?? '') ||
        removes(call, '/var/cache/zypp'),
      folders: ['/var/cache/zypp'],
      message: 'what zypper fetched stays in the image: end this RUN with zypper clean',
      command: 'zypper clean',
    }),
  },
};

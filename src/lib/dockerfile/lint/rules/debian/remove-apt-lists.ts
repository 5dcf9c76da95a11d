/** RemoveAptLists: the package lists that apt-get update fetches do not stay in the image. */
import { cleanupCheck, removes } from '../../shell/cleanup.ts';
import type { Rule } from '../../rule.ts';
import { aptCommand } from './apt.ts';

const LISTS = '/var/lib/apt/lists';

export const removeAptLists: Rule = {
  id: 'RemoveAptLists',
  aliases: ['DL3009'],
  severity: 'information',
  summary: 'The lists of apt-get update are removed in the same RUN',
  fixable: true,
  checks: {
    script: cleanupCheck({
      leaves: (call) => aptCommand(call)?.action.text === 'update',
      cleans: (call) =>
        removes(call, '/var/lib/apt') || /^dist-?clean$/.test(aptCommand(call)?.action.text ?? ''),
      settled: ({ calls }) =>
        calls.some((call) => /install|upgrade/.test(aptCommand(call)?.action.text ?? '')),
      folders: [LISTS],
      message: `the lists of apt-get update stay in the image: end this RUN with rm -rf ${LISTS}/*`,
      command: `rm -rf ${LISTS}/*`,
    }),
  },
};

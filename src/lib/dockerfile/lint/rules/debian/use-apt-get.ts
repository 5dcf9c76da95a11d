/** UseAptGet: scripts use apt-get and apt-cache; apt's interface is for people and may change. */
import { replace, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';
import { aptCommand } from './apt.ts';

const CACHE = ['search', 'show', 'policy', 'depends', 'rdepends', 'showpkg', 'madison'];
const SHARED = [
  'install',
  'update',
  'upgrade',
  'full-upgrade',
  'remove',
  'purge',
  'autoremove',
  'clean',
  'autoclean',
  'download',
  'source',
  'build-dep',
  'reinstall',
];

export const useAptGet: Rule = {
  id: 'UseAptGet',
  aliases: ['DL3027'],
  severity: 'warning',
  summary: 'Scripts use apt-get or apt-cache, not apt',
  fixable: true,
  checks: {
    calls: ['apt'],
    call: (call, { report }) => {
      const { range, value } = call.nameWord;
      if (value !== 'apt') return;
      const action = aptCommand(call)?.action.text ?? '';
      const better = CACHE.includes(action) ? 'apt-cache' : 'apt-get';
      const fix = safeFix(`Change to ${better}`, replace(range, better));
      const known = SHARED.includes(action) || CACHE.includes(action);
      const dist = action === 'full-upgrade';
      report({
        message: `apt is made for people and may change its interface: use ${better}`,
        range,
        ...(known && !dist ? { fix } : {}),
      });
    },
  },
};

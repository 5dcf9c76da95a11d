/** PointlessCommand: commands that make no sense while an image is built are not run. */
import type { Rule } from '../../rule.ts';

const REASONS: Readonly<Record<string, string>> = {
  ssh: 'nobody is logged in to type a password',
  vim: 'nobody is there to edit',
  nano: 'nobody is there to edit',
  shutdown: 'there is no machine to shut down',
  reboot: 'there is no machine to restart',
  service: 'no service runs on after this RUN',
  systemctl: 'there is no init to talk to',
  ps: 'there are only the processes of this RUN',
  free: 'it shows the memory of the machine that builds',
  top: 'nobody is there to look at it',
  htop: 'nobody is there to look at it',
  kill: 'every process ends with this RUN',
  mount: 'mounts are gone after this RUN; use RUN --mount',
  ifconfig: 'the network is that of the build',
};

export const pointlessCommand: Rule = {
  id: 'PointlessCommand',
  aliases: ['DL3001'],
  severity: 'information',
  summary: 'Commands that make no sense in a build are not run',
  fixable: false,
  checks: {
    calls: Object.keys(REASONS),
    call: ({ name, nameWord, arguments: words, behind }, { report }) => {
      if (behind?.name === 'exec' || words.some(({ text }) => text === '--version')) return;
      if (
        name === 'systemctl' &&
        words.some(({ text }) => /^(enable|disable|mask|unmask|preset)/.test(text))
      )
        return;
      report({
        message: `${name} makes no sense in a build: ${REASONS[name] ?? ''}`,
        range: nameWord.range,
      });
    },
  },
};

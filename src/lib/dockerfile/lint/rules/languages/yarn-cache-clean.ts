/** YarnCacheClean: yarn's copies of what it installs do not stay in the image. */
import { cleanupCheck, removes } from '../../shell/cleanup.ts';
import { readCommandLine } from '../../shell/options.ts';
import type { ShellCall } from '../../shell/script.ts';
import type { Rule } from '../../rule.ts';

export const yarnCacheClean: Rule = {
  id: 'YarnCacheClean',
  aliases: ['DL3060'],
  severity: 'information',
  summary: 'The cache of yarn install is removed in the same RUN',
  fixable: true,
  checks: {
    script: cleanupCheck({
      leaves: (call) => /^(install|add)?$/.test(actionOf(call) ?? 'none'),
      cleans: (call) =>
        (actionOf(call) === 'cache' && call.arguments.some(({ text }) => text === 'clean')) ||
        removes(call, '/usr/local/share/.cache') ||
        removes(call, '/root/.cache') ||
        removes(call, '~/.cache'),
      folders: [
        '/usr/local/share/.cache/yarn',
        '/root/.cache/yarn',
        '.cache/yarn',
        '.yarn',
        '.cache',
      ],
      message: 'what yarn fetched stays in the image: end this RUN with yarn cache clean',
      command: 'yarn cache clean',
    }),
  },
};

/** yarn's action, empty for none, which installs; undefined for other commands and for asking its version. */
function actionOf(call: ShellCall): string | undefined {
  if (call.name !== 'yarn') return undefined;
  const { operands, options } = readCommandLine(call, [
    'cwd',
    'cache-folder',
    'modules-folder',
    'registry',
  ]);
  if (options.some(({ name }) => ['version', 'v', 'help', 'h'].includes(name))) return undefined;
  return operands[0]?.text ?? '';
}

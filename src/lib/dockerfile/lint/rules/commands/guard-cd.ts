/** GuardCd: when cd fails, what follows does not run in the wrong directory. */
import type { Script, ShellCall } from '../../shell/script.ts';
import { insert, safeFix, suggestedFix } from '../../edits.ts';
import { isTested } from '../grammar/conditions.ts';
import type { Rule } from '../../rule.ts';

export const guardCd: Rule = {
  id: 'GuardCd',
  aliases: ['SC2164'],
  severity: 'warning',
  summary: 'A cd that may fail has || exit',
  fixable: true,
  checks: {
    calls: ['cd', 'pushd', 'popd'],
    call: (call, { report }) => {
      const { script, name, range } = call;
      if (script === undefined || !isLost(call) || stopsAtFailure(script)) return;
      // Behind && it would also stop what goes on when the command before fails.
      const fixOf = call.place?.previous === '&&' ? suggestedFix : safeFix;
      const fix = fixOf('Add || exit 1', insert(range.end, ' || exit 1'));
      report({
        message: `when ${name} fails, what follows runs in the wrong directory: add || exit`,
        range,
        fix,
      });
    },
  },
};

/** `..` and the like are always there. */
const SURE = /^\/*((\.|\.\.)\/+)*(\.|\.\.)?$/;

function isLost({ script, arguments: words, range, name }: ShellCall): boolean {
  const [path, more] = words;
  if (path !== undefined && more === undefined && SURE.test(path.value ?? '-')) return false;
  if (name !== 'cd' && words.some(({ text }) => text === '-n')) return false;
  return script !== undefined && !isTested(script, range);
}

function stopsAtFailure({ shell, calls }: Script): boolean {
  return (
    shell.errexit ||
    calls.some(
      ({ name, arguments: words }) =>
        name === 'set' && words.some(({ text }) => /^-[a-z]*e/.test(text) || text === 'errexit'),
    )
  );
}

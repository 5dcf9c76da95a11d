/** PipNoCache: pip keeps no copies of what it installs. */
import { insert, safeFix } from '../../edits.ts';
import { isMounted } from '../../shell/cleanup.ts';
import { mayHaveOption } from '../../shell/options.ts';
import type { ShellCall } from '../../shell/script.ts';
import type { Rule, Scope } from '../../rule.ts';
import { pipInstall, PIP_NAMES } from './pip.ts';

export const pipNoCache: Rule = {
  id: 'PipNoCache',
  aliases: ['DL3042'],
  severity: 'warning',
  summary: 'pip install has --no-cache-dir',
  fixable: true,
  checks: {
    calls: PIP_NAMES,
    call: (call, scope) => {
      const install = pipInstall(call);
      if (
        install === undefined ||
        call.name === 'pipx' ||
        mayHaveOption(install.line, 'no-cache-dir') ||
        isOff(call, scope)
      )
        return;
      const { range } = install.action;
      const fix = safeFix('Add --no-cache-dir', insert(range.end, ' --no-cache-dir'));
      scope.report({
        message: `pip keeps what it fetched in the image: add --no-cache-dir`,
        range,
        fix,
      });
    },
  },
};

/** A cache mount, or PIP_NO_CACHE_DIR for the stage or the command. */
function isOff({ instruction, command, script }: ShellCall, { stage, facts }: Scope): boolean {
  if (
    instruction.kind === 'RUN' &&
    isMounted(instruction, ['/root/.cache/pip', '.cache/pip', '.cache'])
  )
    return true;
  const exports =
    script?.calls
      .filter(({ name }) => name === 'export')
      .flatMap(({ arguments: words }) => words) ?? [];
  if (exports.some(({ text }) => isTrue(/^PIP_NO_CACHE_DIR=(.*)$/.exec(text)?.[1] ?? '')))
    return true;
  const exported = script?.commands.flatMap((each) =>
    each.kind === 'simple' ? each.assignments : [],
  );
  const inCommand = [...(command?.assignments ?? []), ...(exported ?? [])];
  if (inCommand.some(({ name, value }) => name === 'PIP_NO_CACHE_DIR' && isTrue(value.value ?? '')))
    return true;
  if (stage === undefined) return false;
  const pairs = facts
    .chainOf(stage)
    .map((each) => facts.summaryOf(each).names.get('PIP_NO_CACHE_DIR'));
  return pairs.some((pair) => isTrue(pair?.value?.text ?? ''));
}

function isTrue(text: string): boolean {
  return /^["']?(1|true|yes|on|t|y)["']?$/i.test(text);
}

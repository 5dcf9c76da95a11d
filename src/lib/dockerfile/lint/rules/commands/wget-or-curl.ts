/** WgetOrCurl: a stage uses one of wget and curl, not both. */
import type { Stage } from '../../../syntax.ts';
import { readCommandLine } from '../../shell/options.ts';
import type { Rule, Scope } from '../../rule.ts';

export const wgetOrCurl: Rule = {
  id: 'WgetOrCurl',
  aliases: ['DL4001'],
  severity: 'warning',
  summary: 'A stage uses wget or curl, not both',
  fixable: false,
  checks: { stage: check },
};

function check({ instructions }: Stage, scope: Scope): void {
  const runs = instructions.filter(({ kind }) => kind === 'RUN');
  // Most stages have one of the words at most, and then no script is to be read.
  if (['wget', 'curl'].some((name) => !runs.some(({ original }) => original.includes(name))))
    return;
  let first: string | undefined;
  for (const run of runs) {
    if (!/wget|curl/.test(run.original)) continue;
    for (const call of scope.scriptOf(run)?.calls ?? []) {
      const { name, nameWord } = call;
      if ((name !== 'wget' && name !== 'curl') || readCommandLine(call).operands.length === 0)
        continue;
      first ??= name;
      if (first === name) continue;
      scope.report({
        message: `this stage already uses ${first}: one of the two is enough`,
        range: nameWord.range,
      });
    }
  }
}

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
  let first: string | undefined;
  for (const instruction of instructions) {
    if (instruction.kind !== 'RUN' || !/wget|curl/.test(instruction.original)) continue;
    for (const call of scope.scriptOf(instruction)?.calls ?? []) {
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

/** LastUserRoot: the container does not run as root when the file says who it runs as. */
import type { ValueInstruction } from '../../../syntax.ts';
import type { Rule } from '../../rule.ts';

export const lastUserRoot: Rule = {
  id: 'LastUserRoot',
  aliases: ['DL3002'],
  severity: 'warning',
  summary: 'The last USER is not root',
  fixable: false,
  checks: {
    file: (file, { facts, report }) => {
      const target = file.stages.at(-1);
      if (target === undefined) return;
      const [last] = facts
        .chainOf(target)
        .flatMap((stage) => stage.instructions.filter((each) => each.kind === 'USER').reverse());
      if (last === undefined || !isRoot(last as ValueInstruction)) return;
      const { range } = (last as ValueInstruction).value;
      report({ message: 'the container runs as root: let the last USER be another one', range });
    },
  },
};

function isRoot({ value }: ValueInstruction): boolean {
  return /^["']?(root|0)(:|["']?$)/.test(value.text);
}

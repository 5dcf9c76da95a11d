/** AndOrChain: `a && b || c` is no if and else: c also runs when b fails. */
import type { Command, Pipeline } from '../../../shell/syntax.ts';
import type { Rule } from '../../rule.ts';

const SURE = new Set(['echo', 'printf', 'true', ':', 'exit', 'return', 'set']);
const LAST = new Set(['true', ':', 'false', 'exit', 'return']);

export const andOrChain: Rule = {
  id: 'AndOrChain',
  aliases: ['SC2015'],
  severity: 'information',
  summary: 'a && b || c is not used as if and else',
  fixable: false,
  checks: {
    script: ({ logicals }, { report }) => {
      for (const { parts, operators } of logicals) {
        for (const [index, operator] of operators.entries()) {
          const next = operators[index + 1];
          if (operator.text !== '&&' || next?.text !== '||') continue;
          if (isNamed(parts[index + 1], SURE) || isNamed(parts[index + 2], LAST)) continue;
          const message =
            'what stands behind || also runs when the command before it fails: use if and else';
          report({ message, range: next.range });
        }
      }
    },
  },
};

/** A command with one of these names, or only assignments. */
function isNamed(node: Pipeline | Command | undefined, names: ReadonlySet<string>): boolean {
  if (node?.kind !== 'simple') return false;
  return node.name === undefined || names.has(node.name.value ?? '');
}

/** AndOrChain: `a && b || c` is no if and else: c also runs when b fails. */
import type { Command, Pipeline } from '../../../shell/syntax.ts';
import type { Rule } from '../../rule.ts';
import { conditionsOf, isTested } from './conditions.ts';

/** What may well run after both. */
const HARMLESS = new Set(['echo', 'printf', 'exit', 'return']);

export const andOrChain: Rule = {
  id: 'AndOrChain',
  aliases: ['SC2015'],
  severity: 'information',
  summary: 'a && b || c is not used as if and else',
  fixable: false,
  checks: {
    script: (script, { report }) => {
      for (const { parts, operators, range: whole } of script.logicals) {
        const [before, last] = operators.slice(-2);
        if (before?.text !== '&&' || last?.text !== '||' || isHarmless(parts.at(-1))) continue;
        if (isTested(whole, conditionsOf(script))) continue;
        const message =
          'what stands behind || also runs when the command before it fails: use if and else';
        report({ message, range: before.range });
      }
    },
  },
};

/** One of these commands, or only assignments. */
function isHarmless(node: Pipeline | Command | undefined): boolean {
  if (node?.kind !== 'simple') return false;
  return node.name === undefined || HARMLESS.has(node.name.value ?? '');
}

/** AndOrChain: `a && b || c` is no if and else: c also runs when b fails. */
import type { Command, Logical, Pipeline } from '../../../shell/syntax.ts';
import { insert, replace, suggestedFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';
import { isTested } from './conditions.ts';

/** What may well run after both. */
const HARMLESS = new Set(['echo', 'printf', 'exit', 'return']);

export const andOrChain: Rule = {
  id: 'AndOrChain',
  aliases: ['SC2015'],
  severity: 'information',
  summary: 'a && b || c is not used as if and else',
  fixable: true,
  checks: {
    script: (script, { file, report }) => {
      for (const logical of script.logicals) {
        const { parts, operators, range: whole } = logical;
        const [before, last] = operators.slice(-2);
        if (before?.text !== '&&' || last?.text !== '||' || isHarmless(parts.at(-1))) continue;
        if (isTested(script, whole)) continue;
        const message =
          'what stands behind || also runs when the command before it fails: use if and else';
        const fix = fixOf(logical, file.text);
        report({ message, range: before.range, ...(fix === undefined ? {} : { fix }) });
      }
    },
  },
};

/** One of these commands, or only assignments. */
function isHarmless(node: Pipeline | Command | undefined): boolean {
  if (node?.kind !== 'simple') return false;
  return node.name === undefined || HARMLESS.has(node.name.value ?? '');
}

/** `if a; then b; else c; fi`, of three commands with nothing but blanks and continuations between them. */
function fixOf({ parts, operators, range }: Logical, text: string): Fix | undefined {
  const [test, then, otherwise] = parts;
  const [and, or] = operators;
  const whole = text.slice(range.start, range.end);
  if (test === undefined || then === undefined || otherwise === undefined || parts.length > 3)
    return undefined;
  if (and === undefined || or === undefined || whole.includes('<<') || whole.includes('#'))
    return undefined;
  return suggestedFix(
    'Change to if … then … else',
    insert(test.range.start, 'if '),
    replace({ start: test.range.end, end: and.range.end }, '; then'),
    replace({ start: then.range.end, end: or.range.end }, '; else'),
    insert(otherwise.range.end, '; fi'),
  );
}

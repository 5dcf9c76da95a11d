/** InvalidDefinitionDescription: the comment directly above a stage or an argument begins with its name. */
import type { FromInstruction, Instruction, PairInstruction } from '../../../syntax.ts';
import { insert, suggestedFix } from '../../edits.ts';
import type { Rule, Scope } from '../../rule.ts';

export const invalidDefinitionDescription: Rule = {
  id: 'InvalidDefinitionDescription',
  aliases: [],
  severity: 'information',
  optional: true,
  summary: 'The comment above a named stage or ARG begins with its name',
  fixable: true,
  checks: {
    FROM: (from: FromInstruction, scope) => {
      if (from.name !== undefined) check(from, from.name.text, scope);
    },
    ARG: (argument: PairInstruction, scope) => {
      const [pair] = argument.pairs;
      if (pair !== undefined && argument.pairs.length === 1) check(argument, pair.name.text, scope);
    },
  },
};

function check(instruction: Instruction, name: string, { file, report }: Scope): void {
  // Only the comment that stands directly on the line above.
  const line = file.lines.position(instruction.range.start).line;
  const comment = file.comments.findLast(({ range }) => range.end <= instruction.range.start);
  if (comment === undefined || file.lines.position(comment.range.start).line !== line - 1) return;
  const words = /^#\s*/.exec(comment.text)?.[0].length ?? 1;
  const text = comment.text.slice(words);
  if (
    text === '' ||
    text.startsWith(`${name} `) ||
    /^(hadolint|check|pinnace|shellcheck)\b/.test(text)
  )
    return;
  const message = `this comment describes '${name}', so it should begin with that name (or an empty line should follow it)`;
  const fix = suggestedFix(`Begin with ${name}`, insert(comment.range.start + words, `${name} `));
  report({ message, range: comment.range, fix });
}

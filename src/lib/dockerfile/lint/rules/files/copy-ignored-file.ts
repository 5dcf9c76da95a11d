/** CopyIgnoredFile: what COPY and ADD take is not left out of the context by .dockerignore. */
import type { AddInstruction, CopyInstruction } from '../../../syntax.ts';
import type { Rule, Scope } from '../../rule.ts';
import { contextSources } from './context-sources.ts';

export const copyIgnoredFile: Rule = {
  id: 'CopyIgnoredFile',
  aliases: [],
  severity: 'warning',
  summary: 'What COPY and ADD take is not left out by .dockerignore',
  fixable: false,
  checks: { COPY: check, ADD: check },
};

function check(instruction: CopyInstruction | AddInstruction, { options, report }: Scope): void {
  for (const { path, word } of contextSources(instruction)) {
    if (options.context?.source(path) !== 'ignored') continue;
    const message = `${instruction.kind} takes '${word.text}', which .dockerignore leaves out of the build context`;
    report({ message, range: word.range });
  }
}

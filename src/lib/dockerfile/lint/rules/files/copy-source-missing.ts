/** CopySourceMissing: what COPY and ADD take is in the build context. */
import type { AddInstruction, CopyInstruction } from '../../../syntax.ts';
import type { Rule, Scope } from '../../rule.ts';
import { contextSources } from './context-sources.ts';

export const copySourceMissing: Rule = {
  id: 'CopySourceMissing',
  aliases: [],
  severity: 'warning',
  summary: 'What COPY and ADD take is in the build context',
  fixable: false,
  checks: { COPY: check, ADD: check },
};

function check(
  instruction: CopyInstruction | AddInstruction,
  { options, deferred, report }: Scope,
): void {
  if (deferred) return;
  for (const { path, word } of contextSources(instruction)) {
    if (options.context?.source(path) !== 'absent') continue;
    report({ message: `nothing in the build context matches '${word.text}'`, range: word.range });
  }
}

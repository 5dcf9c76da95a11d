/** SourceOutsideContext: no source of COPY and ADD climbs out of the build context. */
import type { AddInstruction, CopyInstruction } from '../../../syntax.ts';
import type { Rule, Scope } from '../../rule.ts';

export const sourceOutsideContext: Rule = {
  id: 'SourceOutsideContext',
  aliases: [],
  severity: 'warning',
  summary: 'No source of COPY and ADD climbs out of the build context',
  fixable: false,
  checks: { COPY: check, ADD: check },
};

function check(instruction: CopyInstruction | AddInstruction, { report }: Scope): void {
  if (instruction.kind === 'COPY' && instruction.from !== undefined) return;
  for (const { text, range } of instruction.sources) {
    if (!climbs(text)) continue;
    const message = `'${text}' cannot leave the build context: its '..' are dropped. Build from a folder further up`;
    report({ message, range });
  }
}

function climbs(text: string): boolean {
  if (!text.includes('..') || text.includes('://')) return false;
  let depth = 0;
  for (const part of text.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}

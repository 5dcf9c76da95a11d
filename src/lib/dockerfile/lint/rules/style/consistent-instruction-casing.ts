/** ConsistentInstructionCasing: all instructions are in capitals, or all in small letters. */
import type { Dockerfile, Instruction } from '../../../syntax.ts';
import { replace, safeFix } from '../../edits.ts';
import type { Rule } from '../../rule.ts';

export const consistentInstructionCasing: Rule = {
  id: 'ConsistentInstructionCasing',
  aliases: ['CASING_INSTRUCTION'],
  severity: 'warning',
  summary: 'All instructions are in capitals, or all in small letters',
  fixable: true,
  checks: {
    file: (file, { report }) => {
      const lower = mostlyLower(file);
      for (const { keyword, kind } of keywords(file)) {
        const { text, range } = keyword;
        const wanted = lower ? kind.toLowerCase() : kind;
        if (text === wanted) continue;
        const message = `'${text}' is cased otherwise than the other instructions: ${wanted}`;
        report({ message, range, fix: safeFix(`Change to ${wanted}`, replace(range, wanted)) });
      }
    },
  },
};

/** The known instructions, those within ONBUILD as well. */
export function keywords({ instructions }: Dockerfile): Instruction[] {
  const found: Instruction[] = [];
  for (const instruction of instructions) {
    const { kind } = instruction;
    if (kind !== 'UNKNOWN') found.push(instruction);
    const inner = kind === 'ONBUILD' ? instruction.instruction : undefined;
    if (inner !== undefined && inner.kind !== 'UNKNOWN') found.push(inner);
  }
  return found;
}

/** More instructions are in small letters than in capitals. */
export function mostlyLower(file: Dockerfile): boolean {
  let balance = 0;
  for (const { keyword, kind } of keywords(file)) {
    if (keyword.text === kind) balance--;
    else if (keyword.text === kind.toLowerCase()) balance++;
  }
  return balance > 0;
}

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
      eachKnown(file, ({ keyword: { text, range }, kind }) => {
        const wanted = lower ? kind.toLowerCase() : kind;
        if (text === wanted) return;
        const message = `'${text}' is cased otherwise than the other instructions: ${wanted}`;
        report({ message, range, fix: safeFix(`Change to ${wanted}`, replace(range, wanted)) });
      });
    },
  },
};

/** Shows the known instructions, those within ONBUILD as well. */
export function eachKnown(
  { instructions }: Dockerfile,
  visit: (instruction: Instruction) => void,
): void {
  for (const instruction of instructions) {
    const { kind } = instruction;
    if (kind !== 'UNKNOWN') visit(instruction);
    const inner = kind === 'ONBUILD' ? instruction.instruction : undefined;
    if (inner !== undefined && inner.kind !== 'UNKNOWN') visit(inner);
  }
}

/** More instructions are in small letters than in capitals. */
export function mostlyLower(file: Dockerfile): boolean {
  let balance = 0;
  eachKnown(file, ({ keyword, kind }) => {
    if (keyword.text === kind) balance--;
    else if (keyword.text === kind.toLowerCase()) balance++;
  });
  return balance > 0;
}

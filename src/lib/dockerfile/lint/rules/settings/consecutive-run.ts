/** ConsecutiveRun: RUN instructions that follow each other are one, which makes one layer. */
import type { Instruction, RunInstruction, Stage } from '../../../syntax.ts';
import { replace, suggestedFix } from '../../edits.ts';
import type { Fix, Rule, Scope } from '../../rule.ts';

export const consecutiveRun: Rule = {
  id: 'ConsecutiveRun',
  aliases: ['DL3059'],
  severity: 'information',
  summary: 'RUN instructions that follow each other are merged',
  fixable: true,
  checks: { stage: check },
};

function check({ instructions }: Stage, scope: Scope): void {
  let before: RunInstruction | undefined;
  let joins: boolean | undefined;
  for (const instruction of instructions) {
    if (instruction.kind === 'RUN' && before !== undefined && alike(before, instruction)) {
      joins ??= !instructions.some(isPowerShell);
      const fix = joins ? mergeFix(before, instruction, scope) : undefined;
      scope.report({
        message: 'this RUN follows another: as one they make one layer',
        range: instruction.keyword.range,
        ...(fix === undefined ? {} : { fix }),
      });
    }
    before = runOf(instruction);
  }
}

/** Windows' own PowerShell has no &&. */
function isPowerShell(instruction: Instruction): boolean {
  return instruction.kind === 'SHELL' && /powershell|pwsh/i.test(instruction.words[0]?.text ?? '');
}

function runOf(instruction: Instruction): RunInstruction | undefined {
  return instruction.kind === 'RUN' ? instruction : undefined;
}

/** Both have the same flags, and neither says more than one thing already: those were written apart on purpose. */
function alike(a: RunInstruction, b: RunInstruction): boolean {
  const flags = (run: RunInstruction): string =>
    run.flags.map(({ name, value }) => `${name}=${value?.text ?? ''}`).join(' ');
  return flags(a) === flags(b) && !isCompound(a) && !isCompound(b);
}

function isCompound({ command, heredocs }: RunInstruction): boolean {
  return (
    heredocs.length > 0 || (command.form === 'shell' && /&&|\|\||;|\|/.test(command.command.text))
  );
}

function mergeFix(a: RunInstruction, b: RunInstruction, { file }: Scope): Fix | undefined {
  if (a.command.form !== 'shell' || b.command.form !== 'shell') return undefined;
  const between = file.text.slice(a.range.end, b.range.start);
  if (between.trim() !== '' || a.command.command.text.includes('#')) return undefined;
  const { escapeCharacter } = file.directives;
  const join = ` ${escapeCharacter}${between.includes('\r') ? '\r\n' : '\n'}    && `;
  const start = a.command.command.range.end;
  const end = b.command.command.range.start;
  return suggestedFix('Merge with the RUN above', replace({ start, end }, join));
}

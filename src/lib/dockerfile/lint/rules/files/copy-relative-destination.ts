/** CopyRelativeDestination: a relative destination needs a WORKDIR that says what it is relative to. */
import type { Stage } from '../../../syntax.ts';
import type { Rule, Scope } from '../../rule.ts';
import { absoluteFix } from './absolute.ts';

export const copyRelativeDestination: Rule = {
  id: 'CopyRelativeDestination',
  aliases: ['DL3045'],
  severity: 'warning',
  summary: 'COPY to a relative destination follows a WORKDIR',
  fixable: true,
  checks: {
    stage: (stage, scope) => {
      if (hasWorkdir(stage, scope)) return;
      for (const each of stage.instructions) {
        const instruction = each.kind === 'ONBUILD' ? each.instruction : each;
        if (instruction === undefined) continue;
        if (instruction.kind === 'WORKDIR') return;
        if (instruction.kind !== 'COPY' || !isRelative(instruction.dest.text)) continue;
        const { text, range } = instruction.dest;
        const message = `'${text}' is relative to the base image's directory: set WORKDIR first, or give the whole path`;
        const fix = absoluteFix(instruction.dest, scope);
        scope.report({ message, range, ...(fix === undefined ? {} : { fix }) });
      }
    },
  },
};

function hasWorkdir(stage: Stage, { facts }: Scope): boolean {
  const [, ...bases] = facts.chainOf(stage);
  return bases.some((base) => facts.summaryOf(base).hasWorkdir);
}

function isRelative(text: string): boolean {
  const path = text.replace(/^["']/, '');
  return path !== '' && !path.startsWith('<<') && !/^[/\\$]/.test(path) && !/^[A-Za-z]:/.test(path);
}

/** SetPipefail: a pipeline fails when one of its commands does. */
import { insertLine, suggestedFix } from '../../edits.ts';
import type { Script } from '../../shell/script.ts';
import type { Rule, Scope } from '../../rule.ts';

export const setPipefail: Rule = {
  id: 'SetPipefail',
  aliases: ['DL4006'],
  severity: 'warning',
  summary: 'RUN with a pipe has SHELL with -o pipefail before it',
  fixable: true,
  checks: {
    script: (script, scope) => {
      const { instruction, pipelines, shell } = script;
      if (instruction.kind !== 'RUN' || shell.pipefail || setsPipefail(script)) return;
      const piped = pipelines.find(({ commands }) => commands.length > 1);
      const [operator] = piped?.operators ?? [];
      if (piped === undefined || operator === undefined) return;
      const line = `SHELL ["${shellFor(script, scope)}", "-o", "pipefail", "-c"]`;
      const fix = suggestedFix(`Add ${line}`, insertLine(scope.file, instruction, line));
      const message =
        'only the last command of a pipe decides whether this RUN fails: set -o pipefail with SHELL';
      scope.report({ message, range: operator.range, ...(script.heredoc ? {} : { fix }) });
    },
  },
};

function setsPipefail({ calls }: Script): boolean {
  return calls.some(
    ({ name, arguments: words }) => name === 'set' && words.some(({ text }) => text === 'pipefail'),
  );
}

function shellFor({ dialect }: Script, { stage, facts }: Scope): string {
  const root = stage && facts.rootOf(stage);
  const small = /alpine|busybox/.test(root?.from.image.text ?? '');
  return small && dialect === 'sh' ? '/bin/ash' : '/bin/bash';
}

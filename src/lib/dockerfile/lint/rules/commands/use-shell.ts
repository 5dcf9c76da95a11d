/** UseShell: the shell of the instructions is chosen with SHELL, not by replacing /bin/sh. */
import { replace, suggestedFix } from '../../edits.ts';
import { readCommandLine } from '../../shell/options.ts';
import type { Rule } from '../../rule.ts';

export const useShell: Rule = {
  id: 'UseShell',
  aliases: ['DL4005'],
  severity: 'warning',
  summary: 'SHELL chooses the shell, not a link at /bin/sh',
  fixable: true,
  checks: {
    calls: ['ln'],
    call: (call, { report }) => {
      const { operands } = readCommandLine(call, ['t', 'target-directory', 'S', 'suffix']);
      const [target, link] = operands;
      if (
        target?.value === undefined ||
        (link?.value !== '/bin/sh' && link?.value !== '/usr/bin/sh')
      )
        return;
      const { instruction, script } = call;
      const alone =
        script?.tree.body.items.length === 1 && script.calls.length === 1 && !script.heredoc;
      const shell = target.value.startsWith('/') ? target.value : `/bin/${target.value}`;
      const fix = suggestedFix(
        'Change to SHELL',
        replace(instruction.range, `SHELL ["${shell}", "-c"]`),
      );
      const message = `choose the shell with SHELL ["${shell}", "-c"]: programs rely on what /bin/sh is`;
      report({ message, range: call.range, ...(alone ? { fix } : {}) });
    },
  },
};

/** UseWorkdir: the directory of what follows is set with WORKDIR, not with cd. */
import { insertLine, remove, suggestedFix } from '../../edits.ts';
import type { Fix, Rule, Scope } from '../../rule.ts';
import type { ShellCall } from '../../shell/script.ts';

export const useWorkdir: Rule = {
  id: 'UseWorkdir',
  aliases: ['DL3003'],
  severity: 'warning',
  summary: 'WORKDIR changes the directory, not cd',
  fixable: true,
  checks: {
    calls: ['cd'],
    call: (call, scope) => {
      const { nameWord, place } = call;
      // In brackets of its own the change is meant for what stands in them.
      if (
        place?.inSubshell === true ||
        place?.inSubstitution === true ||
        place?.inFunction === true
      )
        return;
      const message = 'cd lasts until the end of this RUN only: use WORKDIR';
      const fix = scope.deferred ? undefined : fixOf(call, scope);
      scope.report({ message, range: nameWord.range, ...(fix === undefined ? {} : { fix }) });
    },
  },
};

/** A line before RUN in the place of `cd /path &&` at its beginning. */
function fixOf(
  { script, nameWord, arguments: words, instruction }: ShellCall,
  { file }: Scope,
): Fix | undefined {
  const { start } = nameWord.range;
  const [path, more] = words;
  const [first] = script?.tree.body.items ?? [];
  if (script?.heredoc !== false || first?.node.kind !== 'logical' || path === undefined)
    return undefined;
  const { parts, operators, range } = first.node;
  const next = parts[1];
  const isFirst = range.start === start && operators[0]?.text === '&&' && more === undefined;
  if (!isFirst || next === undefined || !/^\/[\w./@+-]*$/.test(path.text)) return undefined;
  const line = insertLine(file, instruction, `WORKDIR ${path.text}`);
  return suggestedFix('Set it with WORKDIR', line, remove({ start, end: next.range.start }));
}

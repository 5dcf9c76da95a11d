/** CopyDestinationDirectory: where several sources are copied, the destination is a directory, with a slash at its end. */
import type { AddInstruction, CopyInstruction, Word } from '../../../syntax.ts';
import { insert, safeFix } from '../../edits.ts';
import type { Rule, Scope } from '../../rule.ts';

export const copyDestinationDirectory: Rule = {
  id: 'CopyDestinationDirectory',
  aliases: ['DL3021', 'INVALID_DESTINATION'],
  severity: 'error',
  blocking: true,
  summary: 'The destination of several sources ends with a slash',
  fixable: true,
  checks: { COPY: check, ADD: check },
};

function check(
  { sources, dest, kind }: CopyInstruction | AddInstruction,
  { report, file }: Scope,
): void {
  const several = sources.length > 1 || sources.some(({ text }) => /[*?]|\[.+\]/.test(text));
  const { text, range } = dest;
  if (sources.length < 2 || !several) return;
  const bare = text.replace(/["']$/, '');
  if (/(^|[/\\])\.{0,2}$/.test(bare) || /\$(\w+|\{[^}]*\})$/.test(bare)) return;
  const message = `${kind} of several sources needs a directory as its destination: ${text}/`;
  report({ message, range, fix: safeFix('Add a slash', insert(endOf(dest, file.text), '/')) });
}

/** Before the closing quote, where there is one. */
function endOf({ range }: Word, text: string): number {
  return text[range.end - 1] === '"' || text[range.end - 1] === "'" ? range.end - 1 : range.end;
}

/** Adds a command at the end of a script. */
import { insert, lineBreak } from '../edits.ts';
import type { Edit, Scope } from '../rule.ts';
import type { Script } from './script.ts';

/** The edit that runs a command after all others; undefined where it would change what they do. */
export function appendCommand(script: Script, command: string, { file }: Scope): Edit | undefined {
  const last = script.tree.body.items.at(-1);
  if (last === undefined || script.tree.problems.length > 0) return undefined;
  const { end } = script.tree.range;
  if (script.heredoc) {
    const newline = lineBreak(file);
    const broken = file.text[end - 1] === '\n';
    return insert(end, broken ? `${command}${newline}` : `${newline}${command}`);
  }
  const comments = script.tree.marks.some(({ kind }) => kind === 'comment');
  const bodies = script.redirects.some(({ operator }) => operator === '<<' || operator === '<<-');
  const open = last.terminator === '&' || last.node.kind === 'function';
  if (comments || bodies || open) return undefined;
  return insert(last.node.range.end, ` && ${command}`);
}

/** Says where the shell splits what an expansion gives into words. */
import type { PlacedPart, Script } from '../../shell/script.ts';

const DECLARING = new Set(['export', 'local', 'declare', 'typeset', 'readonly']);

/** True for an unquoted expansion in an argument or the target of a redirection. */
export function splits({ quoted, role, word }: PlacedPart, { dialect }: Script): boolean {
  if (quoted || (role !== 'argument' && role !== 'redirect')) return false;
  // zsh does not split, and the others do not where a declaration gives a value.
  if (dialect === 'zsh') return false;
  const owner = word?.owner;
  if (dialect === 'sh' || owner?.kind !== 'simple') return true;
  const declares = DECLARING.has(owner.name?.value ?? '') && /^\w+=/.test(word?.word.text ?? '');
  return !declares;
}

/** Says where the shell splits what an expansion gives into words. */
import type { PlacedPart, Script } from '../../shell/script.ts';

const DECLARING = new Set(['export', 'local', 'declare', 'typeset', 'readonly']);

/** True for an unquoted expansion in an argument or the target of a redirection, or within a command's name. */
export function splits({ part, quoted, role, word }: PlacedPart, { dialect }: Script): boolean {
  // A loop over words is for splitting, but not over those of an array.
  const isList = part.kind === 'parameter' && (part.name === '@' || part.index?.text === '@');
  const isPartOfName = role === 'name' && (word?.word.parts.length ?? 0) > 1;
  const isSplit = role === 'argument' || role === 'redirect' || isPartOfName;
  if (quoted || !(isSplit || (isList && role === 'loop-word'))) return false;
  // zsh does not split, and the others do not where a declaration gives a value.
  if (dialect === 'zsh') return false;
  const owner = word?.owner;
  if (dialect === 'sh' || owner?.kind !== 'simple') return true;
  const declares = DECLARING.has(owner.name?.value ?? '') && /^\w+=/.test(word?.word.text ?? '');
  return !declares;
}

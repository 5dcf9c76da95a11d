/** Says which variables an ENV gives text that the shell neither splits nor expands: quotes make no difference to them. */
import type { Scope } from '../../rule.ts';

const PLAIN = /^[^\s*?[\]$"'\\]+$/;

/** The name has a plain value from an ENV that no ARG hides. */
export function isConstant(name: string, { stage, facts }: Scope): boolean {
  if (stage === undefined) return false;
  for (const each of facts.chainOf(stage)) {
    const { environment, names } = facts.summaryOf(each);
    if (!names.has(name)) continue;
    const value = names.get(name)?.value?.text.replaceAll(/^["']|["']$/g, '');
    return environment.has(name) && value !== undefined && PLAIN.test(value);
  }
  return false;
}

/** Reads the image of a FROM that names one: no stage, not scratch, no variables. */
import type { Reference } from '../../../../image/reference.ts';
import type { FromInstruction } from '../../../syntax.ts';
import type { Scope } from '../../rule.ts';

/** The reference; undefined for scratch, a stage, a name with variables and what is no name. */
export function plainImage(from: FromInstruction, { facts }: Scope): Reference | undefined {
  const { text } = from.image;
  if (text === 'scratch' || text.includes('$')) return undefined;
  const stage = facts.stageOf(from);
  if (stage !== undefined && facts.baseOf(stage) !== undefined) return undefined;
  return facts.reference(text);
}

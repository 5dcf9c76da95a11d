/** Renames a stage: its definition and every place that names it. */
import { stageReferences } from '../../../stages.ts';
import type { Dockerfile } from '../../../syntax.ts';
import { replace } from '../../edits.ts';
import type { Edit } from '../../rule.ts';

/** With more stages than this there is no renaming: its work would grow with the square of a hostile file. */
export const RENAME_LIMIT = 500;

/** The edits that put `to` wherever the stage `from` (in any casing) is defined or named. */
export function renameStage({ stages }: Dockerfile, from: string, to: string): Edit[] {
  const wanted = from.toLowerCase();
  const words = stages.flatMap((stage) => [
    ...(stage.from.name === undefined ? [] : [stage.from.name]),
    ...stageReferences(stage).map(({ word }) => word),
  ]);
  return words
    .filter(({ text }) => text !== to && text.toLowerCase() === wanted)
    .map(({ range }) => replace(range, to));
}

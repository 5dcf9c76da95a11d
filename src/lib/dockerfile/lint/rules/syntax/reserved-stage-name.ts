/** ReservedStageName: No stage is called scratch or context. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { offsetsOf, textOf } from '../../analysis/places.ts';
import { suggestedFix } from '../../edits.ts';
import { RENAME_LIMIT, renameStage } from './rename-stage.ts';
import type { Fix, Rule } from '../../rule.ts';

export const reservedStageName: Rule = {
  id: 'ReservedStageName',
  aliases: ['DL3063'],
  severity: 'warning',
  summary: 'No stage is called scratch or context',
  fixable: true,
  checks: {},
  repair,
};

function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const range = offsetsOf(problem);
  const name = textOf(file, range);
  const better = `${name.toLowerCase()}-stage`;
  if (file.stages.length > RENAME_LIMIT || file.stages.some((stage) => stage.name === better))
    return undefined;
  // A FROM scratch means the empty image, whatever stages there are: only the definition and COPY --from change.
  const edits = renameStage(file, name, better).filter(
    ({ range: { start } }) => !isBase(file, start),
  );
  return suggestedFix(`Rename to ${better}`, ...edits);
}

function isBase({ stages }: Dockerfile, start: number): boolean {
  return stages.some(({ from }) => from.image.range.start === start);
}

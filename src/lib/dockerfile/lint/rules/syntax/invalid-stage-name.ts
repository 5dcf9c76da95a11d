/** InvalidStageName: A stage name begins with a letter and holds letters, digits, dashes, dots and underscores. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { offsetsOf, textOf } from '../../analysis/places.ts';
import { suggestedFix } from '../../edits.ts';
import { RENAME_LIMIT, renameStage } from './rename-stage.ts';
import type { Fix, Rule } from '../../rule.ts';

export const invalidStageName: Rule = {
  id: 'InvalidStageName',
  aliases: ['INVALID_BUILD_STAGE_NAME'],
  severity: 'error',
  summary:
    'A stage name begins with a letter and holds letters, digits, dashes, dots and underscores',
  fixable: true,
  checks: {},
  repair,
};

/** The name with what is not allowed in it made into dashes, wherever the stage is named. */
function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const name = textOf(file, offsetsOf(problem));
  const better = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .replace(/-+$/, '');
  if (
    better === '' ||
    file.stages.length > RENAME_LIMIT ||
    file.stages.some((stage) => stage.name === better)
  )
    return undefined;
  return suggestedFix(`Rename to ${better}`, ...renameStage(file, name, better));
}

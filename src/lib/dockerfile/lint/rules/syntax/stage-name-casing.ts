/** StageNameCasing: Stage names are in small letters. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { offsetsOf, textOf } from '../../analysis/places.ts';
import { safeFix } from '../../edits.ts';
import { RENAME_LIMIT, renameStage } from './rename-stage.ts';
import type { Fix, Rule } from '../../rule.ts';

export const stageNameCasing: Rule = {
  id: 'StageNameCasing',
  aliases: [],
  severity: 'warning',
  summary: 'Stage names are in small letters',
  fixable: true,
  checks: {},
  repair,
};

function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  if (file.stages.length > RENAME_LIMIT) return undefined;
  const name = textOf(file, offsetsOf(problem));
  return safeFix(`Change to ${name.toLowerCase()}`, ...renameStage(file, name, name.toLowerCase()));
}

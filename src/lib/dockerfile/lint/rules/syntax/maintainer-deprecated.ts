/** MaintainerDeprecated: The maintainer is a label. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { instructionAt, offsetsOf } from '../../analysis/places.ts';
import { replace, safeFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const maintainerDeprecated: Rule = {
  id: 'MaintainerDeprecated',
  aliases: ['DL4000', 'DEPRECATED_MAINTAINER'],
  severity: 'warning',
  summary: 'The maintainer is a label',
  fixable: true,
  tag: 'deprecated',
  checks: {},
  repair,
};

function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const instruction = instructionAt(file, offsetsOf(problem).start);
  if (instruction?.kind !== 'MAINTAINER') return undefined;
  const { keyword, value } = instruction;
  const name = value.text.replaceAll(/^["']|["']$/g, '').replaceAll(/["\\$]/g, '\\$&');
  const label = keyword.text === keyword.text.toLowerCase() ? 'label' : 'LABEL';
  const range = { start: keyword.range.start, end: value.range.end };
  return safeFix(
    'Change to a label',
    replace(range, `${label} org.opencontainers.image.authors="${name}"`),
  );
}

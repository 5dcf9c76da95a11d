/** LegacyKeyValueFormat: ENV and LABEL have an equals sign between name and value. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { instructionAt, offsetsOf } from '../../analysis/places.ts';
import { replace, safeFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const legacyKeyValueFormat: Rule = {
  id: 'LegacyKeyValueFormat',
  aliases: [],
  severity: 'warning',
  summary: 'ENV and LABEL have an equals sign between name and value',
  fixable: true,
  tag: 'deprecated',
  checks: {},
  repair,
};

function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const instruction = instructionAt(file, offsetsOf(problem).start);
  if (instruction?.kind !== 'ENV' && instruction?.kind !== 'LABEL') return undefined;
  const [pair] = instruction.pairs;
  if (pair?.value === undefined || !pair.legacy) return undefined;
  const { text } = pair.value;
  const value =
    /^[^\s"'\\]+$/.test(text) || /^"[^"\\]*"$|^'[^']*'$/.test(text) ? text : quoted(text);
  const edit = replace({ start: pair.name.range.end, end: pair.value.range.end }, `=${value}`);
  return safeFix('Change to name=value', edit);
}

/** In double quotes; quotes that already have a meaning keep it. */
function quoted(text: string): string {
  if (/["'\\]/.test(text)) return text.replaceAll(/(?<!\\)((?:\\\\)*) /g, '$1\\ ');
  return `"${text}"`;
}

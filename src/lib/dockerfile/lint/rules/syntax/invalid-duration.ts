/** InvalidDuration: A duration is written as 30s or 1m30s. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { instructionAt, offsetsOf, textOf } from '../../analysis/places.ts';
import { replace, suggestedFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const invalidDuration: Rule = {
  id: 'InvalidDuration',
  aliases: [
    'FLAG_INVALID_DURATION',
    'FLAG_LESS_THAN_1MS',
    'FLAG_MISSING_DURATION',
    'FLAG_UNKNOWN_UNIT',
  ],
  severity: 'error',
  summary: 'A duration is written as 30s or 1m30s',
  fixable: true,
  checks: {},
  repair,
};

/** A number without a unit means seconds; what is below a millisecond becomes one. */
function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const range = offsetsOf(problem);
  const text = textOf(file, range);
  if (instructionAt(file, range.start)?.kind !== 'HEALTHCHECK') return undefined;
  const better = /^\d+(\.\d+)?$/.test(text)
    ? `${text}s`
    : problem.message.includes('at least')
      ? '1ms'
      : spelledOut(text);
  return better === undefined
    ? undefined
    : suggestedFix(`Change to ${better}`, replace(range, better));
}

function spelledOut(text: string): string | undefined {
  const match = /^(\d+)\s*(ms|msecs?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)$/i.exec(text);
  const unit = match?.[2]?.toLowerCase();
  if (match === null || unit === undefined) return undefined;
  return `${match[1] ?? ''}${unit.startsWith('ms') ? 'ms' : unit.slice(0, 1)}`;
}

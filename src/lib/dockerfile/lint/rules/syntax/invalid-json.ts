/** InvalidJSON: A JSON array is one, with strings in double quotes. The parser finds it; this is the way out. */
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { offsetsOf, textOf } from '../../analysis/places.ts';
import { replace, suggestedFix } from '../../edits.ts';
import type { Fix, Rule } from '../../rule.ts';

export const invalidJson: Rule = {
  id: 'InvalidJSON',
  aliases: ['JSON_IN_SINGLE_QUOTES', 'SHELL_JSON_FORM'],
  severity: 'error',
  summary: 'A JSON array is one, with strings in double quotes',
  fixable: true,
  checks: {},
  repair,
};

/** Double quotes in the place of single ones; an array in the place of SHELL's plain words. */
function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const range = offsetsOf(problem);
  const text = textOf(file, range);
  const start = text.indexOf('[');
  const array = start < 0 ? wordsToArray(problem, text) : requote(text.slice(start));
  if (array === undefined || !isStrings(array)) return undefined;
  return suggestedFix(
    'Use double quotes',
    replace({ start: range.start + Math.max(start, 0), end: range.end }, array),
  );
}

function requote(text: string): string {
  const double = text.replaceAll(/'([^'"\\]*)'/g, '"$1"').replaceAll(/,\s*\]/g, ']');
  return double.replaceAll(/[“”]/g, '"');
}

function wordsToArray({ message }: Problem, text: string): string | undefined {
  if (!message.startsWith('SHELL') || !/^[\w./\- ]+$/.test(text)) return undefined;
  return `[${text
    .trim()
    .split(/\s+/)
    .map((word) => JSON.stringify(word))
    .join(', ')}]`;
}

function isStrings(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === 'string');
  } catch {
    return false; // Still no JSON: there is no fix.
  }
}

/** What hover says of the rules that comments and the check directive name. */
import { rulesNamed } from '../../../src/lib/dockerfile/lint/table.ts';
import { lastBefore, touches } from '../../../src/lib/dockerfile/scope/places.ts';
import type { Dockerfile, Range } from '../../../src/lib/dockerfile/syntax.ts';
import type { Described } from './hover.ts';

/** The linter's comments, up to their list of names. */
const PRAGMA = /^#\s*(?:(?:hadolint|pinnace)\s+(?:global\s+)?ignore|shellcheck\s+disable)\s*=\s*/i;

export function describeIgnored(file: Dockerfile, offset: number): Described | undefined {
  const { check } = file.directives;
  if (check !== undefined && touches(check.valueRange, offset))
    return describeRule(file, check.valueRange, offset);
  const comment = lastBefore(file.comments, offset);
  if (comment === undefined || !touches(comment.range, offset)) return undefined;
  const length = PRAGMA.exec(comment.text)?.[0].length;
  if (length === undefined) return undefined;
  const { start, end } = comment.range;
  return describeRule(file, { start: start + length, end }, offset);
}

function describeRule({ text }: Dockerfile, within: Range, offset: number): Described | undefined {
  let { start, end } = { start: offset, end: offset };
  while (start > within.start && /[\w-]/.test(text[start - 1] ?? '')) start--;
  while (end < within.end && /[\w-]/.test(text[end] ?? '')) end++;
  if (start < within.start || end === start) return undefined;
  const rules = rulesNamed(text.slice(start, end));
  if (rules.length === 0) return undefined;
  const lines = rules.map(({ id, summary }) => `\`${id}\`: ${summary}.`);
  return { range: { start, end }, text: lines.join('\n\n') };
}

/** Finds the values of labels that a schema gives a format, and checks them where they are known. */
import type { Pair, PairInstruction, Range } from '../../../syntax.ts';
import { replace, suggestedFix } from '../../edits.ts';
import type { Fix, LabelFormat, Scope } from '../../rule.ts';

/** Calls back for each label of that format with a value that holds no variable; quotes are taken off. */
export function eachLabel(
  { pairs }: PairInstruction,
  { options }: Scope,
  format: LabelFormat,
  visit: (label: { readonly name: string; readonly value: string; readonly range: Range }) => void,
): void {
  if (options.labelSchema.size === 0) return;
  for (const pair of pairs) {
    const name = labelName(pair);
    const value = labelValue(pair);
    if (options.labelSchema.get(name) !== format || value === undefined || value === '') continue;
    visit({ name, value, range: pair.value?.range ?? pair.range });
  }
}

export function labelName({ name }: Pair): string {
  return unquote(name.text);
}

/** Undefined where a variable is in it. */
export function labelValue({ value }: Pair): string | undefined {
  const text = value?.text ?? '';
  return text.includes('$') ? undefined : unquote(text);
}

function unquote(text: string): string {
  return text
    .replaceAll(/(?<!\\)["']/g, '')
    .replaceAll('\\ ', ' ')
    .trim();
}

/** Puts another value in the place of one, in its quotes; empty without one, or where the text has more than quotes. */
export function valueFix(
  { file }: Scope,
  { start, end }: Range,
  value: string | undefined,
): { readonly fix?: Fix } {
  const text = file.text.slice(start, end);
  const [, quote] = /^(["']?)[^"'\n\\]*\1$/.exec(text) ?? [];
  if (value === undefined || quote === undefined) return {};
  const range = { start: start + quote.length, end: end - quote.length };
  return { fix: suggestedFix(`Change to ${value}`, replace(range, value)) };
}

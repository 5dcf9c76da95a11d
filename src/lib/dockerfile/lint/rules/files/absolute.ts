/** Makes a relative path absolute: the way out of the rules that ask for a whole path. */
import type { Word } from '../../../syntax.ts';
import { replace, suggestedFix } from '../../edits.ts';
import type { Fix, Scope } from '../../rule.ts';

/** Puts a slash before the path that a word holds, quoted or not; undefined where that would not be what is meant. */
export function absoluteFix({ range }: Word, { file }: Scope): Fix | undefined {
  const text = file.text.slice(range.start, range.end);
  const [, quote, dot] = /^(["']?)(\.\/+|\.(?=["']?$))?(?!\.\.?(?:["'/]|$))/.exec(text) ?? [];
  if (quote === undefined || /[\n$\\]/.test(text)) return undefined;
  const start = range.start + quote.length;
  return suggestedFix('Begin with /', replace({ start, end: start + (dot?.length ?? 0) }, '/'));
}

/** ArrayBraces: an element of an array is written with braces. */
import type { ParameterPart, WordPart } from '../../../shell/syntax.ts';
import { insert, suggestedFix } from '../../edits.ts';
import type { Rule, Scope } from '../../rule.ts';

export const arrayBraces: Rule = {
  id: 'ArrayBraces',
  aliases: ['SC1087'],
  severity: 'error',
  summary: 'An element of an array is ${array[index]}',
  fixable: true,
  checks: {
    script: ({ words, parts, tree }, scope) => {
      if (!tree.text.includes('[') || !tree.text.includes('$')) return;
      for (const { word } of words) checkParts(word.parts, scope);
      for (const { part } of parts) if (part.kind === 'double') checkParts(part.parts, scope);
    },
  },
};

function checkParts(parts: readonly WordPart[], { file, report }: Scope): void {
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1];
    if (
      part.kind !== 'parameter' ||
      part.braced ||
      next === undefined ||
      !/^[A-Za-z_]/.test(part.name)
    )
      continue;
    const element = /^\[[^\s\]'"]*\]/.exec(
      file.text.slice(next.range.start, next.range.start + 80),
    )?.[0];
    if (element === undefined || next.range.start !== part.range.end) continue;
    const end = next.range.start + element.length;
    // What is no index is a pattern behind the variable.
    const isIndex = /^\[[\w@*$]+\]$/.test(element);
    const meant = isIndex ? `\${${part.name}${element}}` : `\${${part.name}}${element}`;
    report({
      message: `bash takes this for an element of an array: write ${meant}`,
      range: { start: part.range.start, end },
      fix: fixOf(part, isIndex ? end : part.range.end),
    });
  }
}

function fixOf({ nameRange }: ParameterPart, end: number) {
  return suggestedFix('Add braces', insert(nameRange.start, '{'), insert(end, '}'));
}

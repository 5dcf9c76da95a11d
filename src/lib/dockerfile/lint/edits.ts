/** Makes and applies text edits: the few shapes that fixes are made of, and their application to a text. */
import { linesAround } from '../../text/lines.ts';
import type { Dockerfile, Instruction, Range } from '../syntax.ts';
import type { Edit, Fix, FixSafety, LintProblem } from './rule.ts';

export function replace(range: Range, text: string): Edit {
  return { range, text };
}

export function insert(at: number, text: string): Edit {
  return { range: { start: at, end: at }, text };
}

export function remove(range: Range): Edit {
  return { range, text: '' };
}

/** A fix that keeps what the image is, or makes it what was plainly meant. */
export function safeFix(title: string, ...edits: Edit[]): Fix {
  return fixOf(title, edits, 'safe');
}

/** A fix that someone should look at. */
export function suggestedFix(title: string, ...edits: Edit[]): Fix {
  return fixOf(title, edits, 'suggestion');
}

function fixOf(title: string, edits: readonly Edit[], safety: FixSafety): Fix {
  return { title, edits: [...edits].sort((a, b) => a.range.start - b.range.start), safety };
}

/** Removes a word or flag with the white space after it, or before it where it is the last of its line. */
export function removeWord({ text }: Dockerfile, range: Range): Edit {
  let { start, end } = range;
  while (text[end] === ' ' || text[end] === '\t') end++;
  if (end === range.end || text[end] === '\n' || text[end] === '\r' || end === text.length) {
    while (text[start - 1] === ' ' || text[start - 1] === '\t') start--;
    end = range.end;
  }
  return remove({ start, end });
}

/** Removes an instruction with its lines. */
export function removeInstruction(file: Dockerfile, { range }: Instruction): Edit {
  return remove(linesAround(file.text, range));
}

/** The line break that the file uses. */
export function lineBreak({ text }: Dockerfile): string {
  const at = text.indexOf('\n');
  return at > 0 && text[at - 1] === '\r' ? '\r\n' : '\n';
}

/** Inserts a line before an instruction, indented as it is. */
export function insertLine(file: Dockerfile, before: Instruction, line: string): Edit {
  const start = file.text.lastIndexOf('\n', before.range.start - 1) + 1;
  const indent = /^[ \t]*/.exec(file.text.slice(start, before.range.start))?.[0] ?? '';
  return insert(
    start === 0 && file.text.charCodeAt(0) === 0xfeff ? 1 : start,
    indent + line + lineBreak(file),
  );
}

/** The text after the edits; those that overlap one already taken are left out. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const sorted = [...edits].sort(
    (a, b) => a.range.start - b.range.start || a.range.end - b.range.end,
  );
  const parts: string[] = [];
  let at = 0;
  for (const { range, text: replacement } of sorted) {
    if (range.start < at) continue;
    parts.push(text.slice(at, range.start), replacement);
    at = range.end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}

/** The fixes of many problems that can be applied together: whole ones only, the first of two that touch. */
export function compatibleFixes(
  problems: readonly LintProblem[],
  safeties: readonly FixSafety[],
): Fix[] {
  const fixes = problems
    .flatMap(({ fix }) => (fix !== undefined && safeties.includes(fix.safety) ? [fix] : []))
    .map((fix) => ({ fix, ...extentOf(fix) }))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const taken: Fix[] = [];
  let end = -1;
  for (const { fix, start, end: last } of fixes) {
    if (start <= end) continue;
    taken.push(fix);
    end = last;
  }
  return taken;
}

function extentOf({ edits }: Fix): Range {
  let start = Infinity;
  let end = -1;
  for (const { range } of edits) {
    start = Math.min(start, range.start);
    end = Math.max(end, range.end);
  }
  return { start, end };
}

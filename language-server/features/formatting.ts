/** Formatting as the protocol's edits: the document, a part, and what a typed line break calls for. */
import type { FormattingOptions, TextEdit } from 'vscode-languageserver/node';
import {
  FORMAT_DEFAULTS,
  formatDockerfile,
  FormatMemory,
  type FormatOptions,
} from '../../src/lib/dockerfile/format/format.ts';
import { heldBy, lastBefore } from '../../src/lib/dockerfile/scope/places.ts';
import type { Dockerfile, Range } from '../../src/lib/dockerfile/syntax.ts';
import { isRecord } from '../../src/lib/record.ts';
import { rangeAt } from './positions.ts';

/** Deeper indents are a mistake. */
const INDENT_LIMIT = 16;

/**
 * The editor's indent and its word on white space at ends, and what the settings' section `format` says besides. Wrong
 * values count as not given. What the editor says nothing of is trimmed, and the last line ended.
 */
export function formatOptions(
  { tabSize, insertSpaces, ...ends }: FormattingOptions,
  section: unknown,
): FormatOptions {
  const given = isRecord(section) ? section : {};
  // A client that says neither has sent less than it must.
  const isTabbed = (insertSpaces as boolean | undefined) === false;
  const own: FormatOptions['indent'] = isTabbed ? 'tab' : indentOf(tabSize);
  const { indent, emptyLines } = given;
  return {
    indent: indent === 'tab' ? 'tab' : typeof indent === 'number' ? indentOf(indent) : own,
    keywordCase: choice(given['keywordCase'], ['upper', 'lower', 'keep'] as const),
    packages: choice(given['packages'], ['one-a-line', 'keep'] as const),
    continuations: choice(given['continuations'], ['space', 'column'] as const),
    flags: choice(given['flags'], ['keep', 'ordered'] as const),
    emptyLines:
      typeof emptyLines === 'number' && emptyLines >= 0
        ? Math.trunc(emptyLines)
        : FORMAT_DEFAULTS.emptyLines,
    stages: choice(given['stages'], ['apart', 'keep'] as const),
    trailingBlanks: ends.trimTrailingWhitespace === false ? 'keep' : 'trim',
    finalNewline: ends.insertFinalNewline === false ? 'keep' : 'insert',
    finalEmptyLines: ends.trimFinalNewlines === false ? 'keep' : 'trim',
  };
}

function indentOf(size: number): number {
  return Number.isFinite(size)
    ? Math.max(1, Math.min(INDENT_LIMIT, Math.trunc(size)))
    : INDENT_LIMIT / 4;
}

/** The value when it is allowed, else the first. */
function choice<T extends string>(value: unknown, allowed: readonly [T, ...T[]]): T {
  return allowed.find((one) => one === value) ?? allowed[0];
}

/** Of all documents: an editor that formats on saving asks again and again for the same instructions. */
const MEMORY = new FormatMemory();

/** The edits of the document, or of what a range touches. */
export function formattingOf(file: Dockerfile, options: FormatOptions, range?: Range): TextEdit[] {
  const request =
    range === undefined ? { memory: MEMORY } : { memory: MEMORY, range: selectedIn(file, range) };
  return formatDockerfile(file, options, request).map((edit) => ({
    range: rangeAt(file.lines, edit.range),
    newText: edit.text,
  }));
}

/** A selection of whole lines ends where the next one begins, which is not meant. */
function selectedIn({ text }: Dockerfile, { start, end }: Range): Range {
  if (end <= start || text[end - 1] !== '\n') return { start, end };
  const isWindows = text[end - 2] === '\r' && end - 2 >= start;
  return { start, end: end - (isWindows ? 2 : 1) };
}

/**
 * After a line break: a line that continues an instruction is indented, otherwise the instruction that ended above is
 * formatted. Nothing beyond the cursor's line is touched.
 */
export function formattingAfterBreak(
  file: Dockerfile,
  options: FormatOptions,
  offset: number,
): TextEdit[] {
  const { lines, text } = file;
  const { line } = lines.position(offset);
  const lineStart = lines.offset(line, 0);
  const instruction = lastBefore(file.instructions, Math.max(0, lineStart - 1));
  if (instruction === undefined) return [];
  const isInside = instruction.range.end >= lineStart || isContinued(file, lineStart);
  if (isInside) return indentAt(file, options, { lineStart, instruction });
  const { start, end } = instruction.range;
  const above = lines.position(end).line;
  if (above !== line - 1) return [];
  return formatDockerfile(file, options, { range: { start, end }, memory: MEMORY })
    .filter((edit) => edit.range.end <= Math.min(lineStart, text.length) - 1)
    .map((edit) => ({ range: rangeAt(lines, edit.range), newText: edit.text }));
}

function isContinued({ text, directives }: Dockerfile, lineStart: number): boolean {
  const before = text.slice(Math.max(0, lineStart - 200), lineStart).replace(/[ \t\r]*\n$/, '');
  return before.endsWith(directives.escapeCharacter);
}

function indentAt(
  { text, lines }: Dockerfile,
  { indent }: FormatOptions,
  {
    lineStart,
    instruction,
  }: { lineStart: number; instruction: Dockerfile['instructions'][number] },
): TextEdit[] {
  const held = heldBy(instruction);
  const bodies = held !== undefined && 'heredocs' in held ? held.heredocs : [];
  if (bodies.some(({ contentRange }) => lineStart >= contentRange.start)) return [];
  const written = /^[ \t]*/.exec(text.slice(lineStart, lineStart + 200))?.[0] ?? '';
  const wanted = indent === 'tab' ? '\t' : ' '.repeat(indent);
  if (written !== '') return [];
  const range = rangeAt(lines, { start: lineStart, end: lineStart });
  return [{ range, newText: wanted }];
}

/** Reads what ShellCheck writes (`--format=json1`). It comes from another program, so nothing in it is taken on trust. */
import { isRecord } from '../../../lib/record.ts';
import type { Point } from './input.ts';

export interface Replacement {
  readonly start: Point;
  readonly end: Point;
  readonly text: string;
  readonly side: 'opening' | 'closing';
}

export interface Comment {
  readonly start: Point;
  readonly end: Point;
  readonly level: 'error' | 'warning' | 'info' | 'style';
  /** `SC2086`. */
  readonly code: string;
  readonly message: string;
  readonly fix: readonly Replacement[];
}

/** More findings of one script help nobody. */
const LIMIT = 500;
const LEVELS = ['error', 'warning', 'info', 'style'] as const;

/** The comments of an output; undefined when it is no such output. */
export function readComments(output: string): readonly Comment[] | undefined {
  return listIn(output)?.slice(0, LIMIT).flatMap(readComment);
}

/** The comments of an output about several files, by the file's name. */
export function readCommentsByFile(
  output: string,
): ReadonlyMap<string, readonly Comment[]> | undefined {
  const list = listIn(output);
  if (list === undefined) return undefined;
  const byFile = new Map<string, Comment[]>();
  for (const value of list) {
    const name = isRecord(value) ? value['file'] : undefined;
    if (typeof name !== 'string') continue;
    const comments = byFile.get(name) ?? [];
    if (comments.length < LIMIT) comments.push(...readComment(value));
    byFile.set(name, comments);
  }
  return byFile;
}

function listIn(output: string): readonly unknown[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    return undefined; // Cut off, or the words of another program.
  }
  const list: unknown = isRecord(value) ? value['comments'] : undefined;
  return Array.isArray(list) ? list : undefined;
}

function readComment(value: unknown): Comment[] {
  if (!isRecord(value)) return [];
  const { code, message } = value;
  const level = LEVELS.find((each) => each === value['level']);
  const place = placeOf(value);
  const isCode = typeof code === 'number' && Number.isInteger(code) && code >= 1000 && code <= 9999;
  if (!isCode || typeof message !== 'string' || level === undefined || place === undefined)
    return [];
  const fix = isRecord(value['fix']) ? value['fix']['replacements'] : undefined;
  const replacements: unknown[] = Array.isArray(fix) ? fix : [];
  const read = replacements.map(readReplacement);
  const whole = read.flatMap((each) => each ?? []);
  const code4 = `SC${String(code)}`;
  return [
    { ...place, level, code: code4, message, fix: whole.length === read.length ? whole : [] },
  ];
}

function readReplacement(value: unknown): Replacement | undefined {
  if (!isRecord(value) || typeof value['replacement'] !== 'string') return undefined;
  const place = placeOf(value);
  if (place === undefined) return undefined;
  const side = value['insertionPoint'] === 'beforeStart' ? 'closing' : 'opening';
  return { ...place, text: value['replacement'], side };
}

function placeOf(value: Record<string, unknown>): { start: Point; end: Point } | undefined {
  const { line, column, endLine, endColumn } = value;
  const start = pointOf(line, column);
  const end = pointOf(endLine, endColumn);
  return start === undefined || end === undefined ? undefined : { start, end };
}

function pointOf(line: unknown, column: unknown): Point | undefined {
  if (typeof line !== 'number' || typeof column !== 'number') return undefined;
  return Number.isInteger(line) && Number.isInteger(column) ? { line, column } : undefined;
}

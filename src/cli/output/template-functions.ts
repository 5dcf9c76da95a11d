/** The functions of docker's `--format` templates, on plain JSON values. */

import { EngineError } from '../../lib/errors.ts';

/** A JSON value. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

/** Ends the template with a clear error. */
export function fail(message: string): never {
  throw new EngineError('invalid', `template parsing error: ${message}`);
}

/** Go's truth: zero values are false. */
export function truth(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value !== null && typeof value === 'object') return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A value as Go's %v shows it. */
export function print(value: Value): string {
  if (value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(print).join(' ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, item]) => `${key}:${print(item)}`).join(' ')}]`;
  }
  return String(value);
}

function list(value: Value | undefined): Value[] {
  return Array.isArray(value) ? value : [];
}

function text(value: Value | undefined): string {
  return value === undefined || value === null ? '' : print(value);
}

function order(a: Value | undefined, b: Value | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return text(a) < text(b) ? -1 : text(a) === text(b) ? 0 : 1;
}

function entry(of: Value | undefined, keys: readonly Value[]): Value {
  let value: Value = of ?? null;
  for (const key of keys) {
    if (Array.isArray(value))
      value = value[Number(key)] ?? fail(`index out of range: ${text(key)}`);
    else if (value !== null && typeof value === 'object') value = value[text(key)] ?? '';
    else fail(`can't index ${print(value)}`);
  }
  return value;
}

/** %s %v %d %q %t and %%, with a width. */
function format(pattern: string, args: readonly Value[]): string {
  let next = 0;
  return pattern.replaceAll(
    /%(-?)(\d*)([svdqt%])/g,
    (_, left: string, width: string, verb: string) => {
      if (verb === '%') return '%';
      const value = args[next];
      next += 1;
      const shown = verb === 'q' ? JSON.stringify(text(value)) : text(value);
      return left === '-' ? shown.padEnd(Number(width)) : shown.padStart(Number(width));
    },
  );
}

/** Name → function of evaluated arguments; the pipeline's value is the last. */
export const FUNCTIONS: Record<string, (args: readonly Value[]) => Value> = {
  json: ([value]) => JSON.stringify(value ?? null),
  join: ([items, separator]) => list(items).map(text).join(text(separator)),
  split: ([value, separator]) => text(value).split(text(separator)),
  lower: ([value]) => text(value).toLowerCase(),
  upper: ([value]) => text(value).toUpperCase(),
  title: ([value]) => text(value).replaceAll(/\b\w/g, (letter) => letter.toUpperCase()),
  truncate: ([value, length]) => text(value).slice(0, Number(length)),
  pad: ([value, before, after]) =>
    ' '.repeat(Number(before)) + text(value) + ' '.repeat(Number(after)),
  println: (args) => `${args.map(text).join(' ')}\n`,
  print: (args) => args.map(text).join(''),
  printf: ([pattern, ...args]) => format(text(pattern), args),
  len: ([value]) =>
    Array.isArray(value)
      ? value.length
      : value !== null && typeof value === 'object'
        ? Object.keys(value).length
        : text(value).length,
  index: ([of, ...keys]) => entry(of, keys),
  eq: ([value, ...others]) => others.some((other) => order(value, other) === 0),
  ne: ([a, b]) => order(a, b) !== 0,
  lt: ([a, b]) => order(a, b) < 0,
  le: ([a, b]) => order(a, b) <= 0,
  gt: ([a, b]) => order(a, b) > 0,
  ge: ([a, b]) => order(a, b) >= 0,
  and: (args) => args.find((value) => !truth(value)) ?? args.at(-1) ?? null,
  or: (args) => args.find(truth) ?? args.at(-1) ?? null,
  not: ([value]) => !truth(value ?? null),
};

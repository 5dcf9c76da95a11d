/** Checked reading of a query string, with Docker's notions of booleans, filters and times. Every complaint names the parameter. */

import { EngineError } from '../../lib/errors.ts';
import type { Filters } from '../../lib/api/system.ts';
import { isRecord } from '../../lib/record.ts';
import { parseJson } from './body.ts';

const FALSE = new Set(['', '0', 'no', 'false', 'none']);
const MAX_FILTERS = 64 * 1024;

export class Query {
  private readonly search: URLSearchParams;

  /** `text`: what follows the question mark. */
  constructor(text: string) {
    this.search = new URLSearchParams(text);
  }

  has(name: string): boolean {
    return this.search.has(name);
  }

  /** '' when absent. */
  text(name: string): string {
    return this.search.get(name) ?? '';
  }

  /** undefined when absent or empty. */
  optional(name: string): string | undefined {
    const value = this.search.get(name);
    return value === null || value === '' ? undefined : value;
  }

  required(name: string): string {
    const value = this.optional(name);
    if (value === undefined)
      throw new EngineError('invalid', `the query parameter ${name} is missing or empty`);
    return value;
  }

  all(name: string): string[] {
    return this.search.getAll(name).filter((value) => value !== '');
  }

  /** Docker's rule: all but '', 0, no, false and none is true; `fallback` when absent. */
  bool(name: string, fallback: 'true' | 'false' = 'false'): boolean {
    const value = this.search.get(name);
    return value === null ? fallback === 'true' : !FALSE.has(value.trim().toLowerCase());
  }

  /** A whole number, undefined when absent or empty. */
  int(
    name: string,
    range: { readonly min?: number; readonly max?: number } = {},
  ): number | undefined {
    const value = this.optional(name)?.trim();
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!/^[+-]?\d+$/.test(value) || !Number.isSafeInteger(number)) {
      throw new EngineError(
        'invalid',
        `the query parameter ${name} is not a whole number: ${clip(value)}`,
      );
    }
    if (number < (range.min ?? -Infinity) || number > (range.max ?? Infinity)) {
      throw new EngineError('invalid', `the query parameter ${name} is out of range: ${value}`);
    }
    return number;
  }

  /** `{"x":["y"]}` or the older `{"x":{"y":true}}`; {} when absent. */
  filters(name = 'filters'): Filters {
    const text = this.text(name).trim();
    if (text === '') return {};
    if (text.length > MAX_FILTERS)
      throw new EngineError('invalid', `the query parameter ${name} is longer than 64 KiB`);
    const parsed = parseJson(text, name);
    if (parsed === null) return {};
    if (!isRecord(parsed))
      throw new EngineError('invalid', `invalid filter: ${name} is not a JSON object`);
    const filters: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
    for (const [key, value] of Object.entries(parsed)) filters[key] = filterValues(key, value);
    return filters;
  }

  /** A JSON value of the parameter, undefined when absent or empty. */
  json(name: string): unknown {
    const text = this.text(name).trim();
    return text === '' ? undefined : parseJson(text, name);
  }

  /** An object of strings (`buildargs` may hold null); {} when absent. */
  stringMap(name: string): Record<string, string | null> {
    const value = this.json(name) ?? {};
    if (!isRecord(value))
      throw new EngineError('invalid', `the query parameter ${name} is not a JSON object`);
    const map: Record<string, string | null> = {};
    for (const [key, item] of Object.entries(value)) {
      if (item !== null && typeof item !== 'string') {
        throw new EngineError(
          'invalid',
          `the query parameter ${name}: the value of ${clip(key)} is not a string`,
        );
      }
      map[key] = item;
    }
    return map;
  }

  /** Seconds since the epoch with a fraction, or RFC 3339, as nanoseconds; undefined when absent or 0. */
  timeNano(name: string): number | undefined {
    const value = this.optional(name)?.trim();
    if (value === undefined || value === '0') return undefined;
    if (/^\d+(\.\d+)?$/.test(value)) return Math.round(Number(value) * 1e9);
    const ms = Date.parse(value);
    if (!/^\d{4}-\d\d-\d\d/.test(value) || Number.isNaN(ms)) {
      throw new EngineError('invalid', `the query parameter ${name} is not a time: ${clip(value)}`);
    }
    // Date.parse keeps milliseconds; the digits below come from the text.
    const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
    return Math.floor(ms / 1000) * 1e9 + Number(fraction.padEnd(9, '0').slice(0, 9));
  }
}

/** Refuses filters that the route does not know, in Docker's words. */
export function checkFilters(filters: Filters, known: readonly string[]): void {
  for (const name of Object.keys(filters)) {
    if (!known.includes(name)) throw new EngineError('invalid', `invalid filter '${clip(name)}'`);
  }
}

function filterValues(key: string, value: unknown): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  if (isRecord(value) && Object.values(value).every((item) => typeof item === 'boolean')) {
    return Object.keys(value).filter((item) => value[item] === true);
  }
  throw new EngineError(
    'invalid',
    `invalid filter '${clip(key)}': its value is neither a list of strings nor an object of booleans`,
  );
}

function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

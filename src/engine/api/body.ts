/** Checked reading of JSON from clients: bounded in size and depth, and of a known shape. Every complaint names the field. */

import type { Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';

const MAX_BODY = 8 * 1024 * 1024;
const MAX_DEPTH = 32;

/**
 * What a value must look like. null is accepted everywhere, as Go's decoder does. An object's unknown
 * members pass through unchecked.
 */
export type Shape =
  | 'any'
  | 'string'
  | 'boolean'
  | 'number'
  | 'integer'
  | 'strings'
  | 'string-or-strings'
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

/** The bytes of a small body. Throws invalid when it is longer than `limit`. */
export async function readBody(body: Readable, limit: number = MAX_BODY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit)
      throw new EngineError('invalid', `the request body is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The JSON object of a request's body, checked against `shape`; undefined for an empty body. */
export async function readJson<T extends object>(
  body: Readable,
  shape: Shape,
): Promise<T | undefined> {
  const bytes = await readBody(body);
  const text = bytes.toString('utf8').trim();
  if (text === '') return undefined;
  const value = parseJson(text, 'the request body');
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new EngineError('invalid', 'the request body is not a JSON object');
  }
  checkShape(value, shape, '');
  return value as T;
}

/** As readJson; an empty body is an error. */
export async function requireJson<T extends object>(body: Readable, shape: Shape): Promise<T> {
  const value = await readJson<T>(body, shape);
  if (value === undefined)
    throw new EngineError('invalid', 'the request body is empty; a JSON object is expected');
  return value;
}

/** Parses JSON of at most 32 levels. `what` names it in the complaint. */
export function parseJson(text: string, what: string): unknown {
  checkDepth(text, what);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new EngineError('invalid', `${what} is not valid JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Counts brackets before the parser recurses into them. */
function checkDepth(text: string, what: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > MAX_DEPTH)
        throw new EngineError('invalid', `${what} is nested deeper than ${MAX_DEPTH} levels`);
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
}

/** Throws invalid naming the first member that is not as `shape` says; `at` is the path so far. */
export function checkShape(value: unknown, shape: Shape, at: string): void {
  if (value === null || value === undefined || shape === 'any') return;
  if (typeof shape === 'string') {
    if (!isOf(value, shape)) wrong(at, EXPECTED[shape], value);
    return;
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) wrong(at, 'a list', value);
    else value.forEach((item, index) => checkShape(item, shape.list, `${at}[${index}]`));
    return;
  }
  if (typeof value !== 'object' || Array.isArray(value)) wrong(at, 'an object', value);
  else if ('map' in shape) {
    for (const [key, item] of Object.entries(value)) checkShape(item, shape.map, join(at, key));
  } else {
    const record = value as Record<string, unknown>;
    for (const [key, inner] of Object.entries(shape.fields)) {
      if (Object.hasOwn(record, key)) checkShape(record[key], inner, join(at, key));
    }
  }
}

const EXPECTED = {
  any: 'anything',
  string: 'a string',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
  strings: 'a list of strings',
  'string-or-strings': 'a string or a list of strings',
} as const;

function isOf(value: unknown, shape: keyof typeof EXPECTED): boolean {
  if (shape === 'string') return typeof value === 'string' && !value.includes('\0');
  if (shape === 'boolean') return typeof value === 'boolean';
  if (shape === 'number') return typeof value === 'number';
  if (shape === 'integer') return Number.isInteger(value);
  if (shape === 'string-or-strings' && typeof value === 'string') return !value.includes('\0');
  return (
    Array.isArray(value) && value.every((item) => typeof item === 'string' && !item.includes('\0'))
  );
}

function join(at: string, key: string): string {
  const short = key.length > 60 ? `${key.slice(0, 60)}…` : key;
  return at === '' ? short : `${at}.${short}`;
}

function wrong(at: string, expected: string, value: unknown): never {
  const found = Array.isArray(value)
    ? 'a list'
    : typeof value === 'object'
      ? 'an object'
      : JSON.stringify(value).slice(0, 60);
  throw new EngineError(
    'invalid',
    `invalid JSON: ${at === '' ? 'the body' : at} must be ${expected}, not ${found}`,
  );
}

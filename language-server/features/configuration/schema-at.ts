/** Finds where an offset of a `.hadolint.yaml` stands in the configuration's schema. It goes by the lines, since what is being written seldom parses. Pure. */
import { configurationSchema } from '../../../src/lib/dockerfile/lint/config/schema.ts';
import type { Range } from '../../../src/lib/dockerfile/syntax.ts';
import { isRecord } from '../../../src/lib/record.ts';

export type Schema = Readonly<Record<string, unknown>>;

export interface Spot {
  readonly kind: 'key' | 'value';
  /** The schema of the mapping whose key it is, or of the value. */
  readonly schema: Schema;
  /** The word at the offset. */
  readonly range: Range;
  /** The keys that lead there; of a key itself the last one. */
  readonly path: readonly string[];
  /** The keys that the mapping has on other lines. */
  readonly used: ReadonlySet<string>;
}

/** Longer texts are no configuration. */
const LENGTH_LIMIT = 100_000;

const WHOLE = configurationSchema();

/** Undefined in comments, and where the schema knows nothing. */
export function spotAt(text: string, offset: number): Spot | undefined {
  if (text.length > LENGTH_LIMIT) return undefined;
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const newline = text.indexOf('\n', offset);
  const end = newline < 0 ? text.length : newline;
  const line = text.slice(start, end).replace(/\r$/, '');
  const before = text.slice(start, offset);
  if (/(^|\s)#/.test(before)) return undefined;
  const indent = /^ */.exec(line)?.[0].length ?? 0;
  const lines = { above: text.slice(0, start), below: text.slice(end) };
  const word = wordAt(text, offset);
  const item = /^ *- */.exec(before);
  if (item !== null) {
    const path = parentsOf(lines.above, indent + 1);
    const schema = itemsOf(schemaOf(path));
    return schema && { kind: 'value', schema, range: word, path, used: new Set() };
  }
  const path = parentsOf(lines.above, indent);
  const pair = /^ *([\w-]+) *: *(.*)$/.exec(before);
  if (pair === null) {
    const schema = schemaOf(path);
    const used = siblingsOf(lines, indent);
    return (
      schema && { kind: 'key', schema, range: word, path: [...path, wordText(text, word)], used }
    );
  }
  const whole = [...path, pair[1] ?? ''];
  const value = schemaOf(whole);
  const isList = (pair[2] ?? '').startsWith('[');
  const schema = isList ? itemsOf(value) : value;
  return schema && { kind: 'value', schema, range: word, path: whole, used: new Set() };
}

/** The schema of the value at the end of some keys. */
export function schemaOf(path: readonly string[]): Schema | undefined {
  let schema: Schema = WHOLE;
  for (const key of path) {
    const properties: unknown = schema['properties'];
    const more: unknown = schema['additionalProperties'];
    const known = isRecord(properties) && Object.hasOwn(properties, key);
    const next = resolved(known ? properties[key] : more);
    if (next === undefined) return undefined;
    schema = next;
  }
  return schema;
}

function itemsOf(schema: Schema | undefined): Schema | undefined {
  return resolved(schema?.['items']);
}

/** The schema itself, or what it refers to; undefined for what is none. */
function resolved(schema: unknown): Schema | undefined {
  if (!isRecord(schema)) return undefined;
  const name = /^#\/definitions\/(\w+)$/.exec(String(schema['$ref']))?.[1];
  const definitions = WHOLE['definitions'];
  if (name === undefined || !isRecord(definitions)) return schema;
  const found = definitions[name];
  return isRecord(found) ? { ...found, ...schema } : undefined;
}

function wordAt(text: string, offset: number): Range {
  const before = /[\w.*/:-]*$/.exec(text.slice(Math.max(0, offset - 200), offset))?.[0] ?? '';
  const after = /^[\w.*/-]*/.exec(text.slice(offset, offset + 200))?.[0] ?? '';
  return { start: offset - before.length, end: offset + after.length };
}

function wordText(text: string, { start, end }: Range): string {
  return text.slice(start, end);
}

/** The keys above whose mappings a line of an indent stands in, the outermost first. */
function parentsOf(above: string, indent: number): string[] {
  const parents: string[] = [];
  let limit = indent;
  for (const line of above.split('\n').reverse()) {
    const found = /^( *)([\w-]+) *:\s*(?:#.*)?$/.exec(line);
    const depth = found?.[1]?.length;
    if (found === null || depth === undefined || depth >= limit) continue;
    parents.unshift(found[2] ?? '');
    limit = depth;
    if (depth === 0) break;
  }
  return parents;
}

/** The keys of the lines around that stand at the same indent in the same mapping. */
function siblingsOf(
  { above, below }: { readonly above: string; readonly below: string },
  indent: number,
): Set<string> {
  const found = new Set<string>();
  const take = (lines: readonly string[]): void => {
    for (const line of lines) {
      const key = /^( *)([\w-]+) *:/.exec(line);
      const depth = key?.[1]?.length;
      if (depth === undefined) continue;
      if (depth < indent) return;
      if (depth === indent) found.add(key?.[2] ?? '');
    }
  };
  take(above.split('\n').reverse());
  take(below.split('\n'));
  return found;
}

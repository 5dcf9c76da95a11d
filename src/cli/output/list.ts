/** Writes a list as docker does: a table, ids only, JSON lines, or a Go template for each row. */

import type { Filters } from '../../lib/api/system.ts';
import { EngineError } from '../../lib/errors.ts';
import { table } from './table.ts';
import { compile, type Value } from './template.ts';

export interface ListFlags {
  quiet?: boolean;
  trunc: boolean;
  json?: boolean;
  format?: string;
  filter: string[];
}

export interface ListForm {
  /** Keys of the rows, in the table's order. */
  readonly columns: readonly string[];
  /** Heads that are not just the key in capitals. */
  readonly heads: Readonly<Record<string, string>>;
  /** The key that -q prints. */
  readonly quiet: string;
}

/** Writes the rows in the form that the flags ask for. */
export function writeList(
  rows: readonly Record<string, Value>[],
  form: ListForm,
  flags: Pick<ListFlags, 'quiet' | 'json' | 'format'>,
  out: NodeJS.WritableStream,
): void {
  const head = (key: string): string => form.heads[key] ?? key.toUpperCase();
  if (flags.json === true || flags.format === 'json') {
    for (const row of rows) out.write(`${JSON.stringify(row)}\n`);
  } else if (flags.format !== undefined && flags.format !== 'table') {
    writeTemplate(rows, flags.format, head, out);
  } else if (flags.quiet === true) {
    for (const row of rows) out.write(`${cell(row[form.quiet])}\n`);
  } else {
    const cells = rows.map((row) => form.columns.map((key) => cell(row[key])));
    out.write(table([form.columns.map(head), ...cells]));
  }
}

function cell(value: Value | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function writeTemplate(
  rows: readonly Record<string, Value>[],
  format: string,
  head: (key: string) => string,
  out: NodeJS.WritableStream,
): void {
  const isTable = format.startsWith('table ');
  const template = compile(isTable ? format.slice('table '.length) : format);
  const lines = rows.map(template);
  if (!isTable) {
    for (const line of lines) out.write(`${line}\n`);
    return;
  }
  const heads = Object.fromEntries(Object.keys(rows[0] ?? {}).map((key) => [key, head(key)]));
  const first = rows.length === 0 ? [] : [template(heads)];
  out.write(table([...first, ...lines].map((line) => line.split('\t'))));
}

/** `name=value` pairs as the API's filters; throws `invalid` on another form. */
export function filters(entries: readonly string[]): Filters {
  const found: Record<string, string[]> = {};
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at < 1)
      throw new EngineError('invalid', `--filter: invalid filter '${entry}'; it is name=value`);
    const name = entry.slice(0, at).toLowerCase();
    (found[name] ??= []).push(entry.slice(at + 1));
  }
  return found;
}

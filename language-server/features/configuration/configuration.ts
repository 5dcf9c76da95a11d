/** Completion, hover and problems of `.hadolint.yaml` files, all from the configuration's one schema and reader. Pure. */
import {
  type CompletionItem,
  CompletionItemKind,
  type Diagnostic,
  DiagnosticSeverity,
  type Hover,
} from 'vscode-languageserver/node';
import {
  type ConfigProblem,
  readConfiguration,
} from '../../../src/lib/dockerfile/lint/config/hadolint.ts';
import { isRecord } from '../../../src/lib/record.ts';
import { LineIndex } from '../../../src/lib/text/lines.ts';
import { markdown } from '../completion/items.ts';
import { SOURCE } from '../diagnostics.ts';
import { rangeAt } from '../positions.ts';
import { type Schema, schemaOf, type Spot, spotAt } from './schema-at.ts';

/** Whether an address is that of a configuration. */
export function isConfiguration(uri: string): boolean {
  return /\/\.hadolint\.ya?ml$/.test(uri);
}

export function configurationItems(text: string, offset: number): CompletionItem[] {
  const spot = spotAt(text, offset);
  if (spot === undefined) return [];
  const range = rangeAt(new LineIndex(text), spot.range);
  const found = spot.kind === 'key' ? keysOf(spot, text) : valuesOf(spot.schema);
  return found.map(({ label, detail, insert = label }, index) => ({
    label,
    kind: spot.kind === 'key' ? CompletionItemKind.Property : CompletionItemKind.EnumMember,
    sortText: String(index).padStart(5, '0'),
    filterText: label,
    textEdit: { range, newText: insert },
    ...(detail === '' ? {} : { detail }),
  }));
}

interface Entry {
  readonly label: string;
  readonly detail: string;
  readonly insert?: string;
}

function keysOf({ schema, used, range }: Spot, text: string): Entry[] {
  const properties = schema['properties'];
  if (!isRecord(properties)) return [];
  const hasColon = /^ *:/.test(text.slice(range.end));
  return Object.entries(properties)
    .filter(([name]) => !used.has(name))
    .map(([name, value]) => ({
      label: name,
      detail: textIn(value, 'description'),
      insert: hasColon ? name : `${name}: `,
    }));
}

/** The values that a schema lists; those of `anyOf` too. */
function valuesOf(schema: Schema): Entry[] {
  const any: unknown = schema['anyOf'];
  const others: readonly unknown[] = Array.isArray(any) ? any : [];
  const all = [schema, ...others];
  const found = all.flatMap((one) => {
    const values: unknown = isRecord(one) ? one['enum'] : undefined;
    const details: unknown = isRecord(one) ? one['enumDescriptions'] : undefined;
    if (!Array.isArray(values)) return [];
    return values.map((value, index): Entry => {
      const detail: unknown = Array.isArray(details) ? details[index] : '';
      return { label: String(value), detail: typeof detail === 'string' ? detail : '' };
    });
  });
  const flags = schema['type'] === 'boolean' ? ['true', 'false'] : [];
  return [...found, ...flags.map((label) => ({ label, detail: '' }))];
}

/** What a key is for, or what a rule asks for. */
export function configurationHover(text: string, offset: number): Hover | null {
  const spot = spotAt(text, offset);
  if (spot === undefined) return null;
  const word = text.slice(spot.range.start, spot.range.end);
  const said =
    spot.kind === 'key'
      ? textIn(schemaOf(spot.path), 'description')
      : (valuesOf(spot.schema).find(({ label }) => label === word)?.detail ?? '');
  if (said === '' || word === '') return null;
  const range = rangeAt(new LineIndex(text), spot.range);
  return { contents: markdown(`\`${word}\`: ${said}`), range };
}

export function configurationDiagnostics(problems: readonly ConfigProblem[]): Diagnostic[] {
  return problems.map(({ line, character, key, message }) => ({
    range: { start: { line, character }, end: { line, character: character + 1 } },
    severity: DiagnosticSeverity.Warning,
    source: SOURCE,
    message: key === '' ? message : `${key}: ${message}`,
  }));
}

/** Those of a text that is open, saved or not. */
export function problemsInText(text: string): Diagnostic[] {
  return configurationDiagnostics(readConfiguration(text).problems);
}

function textIn(value: unknown, name: string): string {
  const found = isRecord(value) ? value[name] : undefined;
  return typeof found === 'string' ? found : '';
}

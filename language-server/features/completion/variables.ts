/** Completes variables behind a dollar, and the modifiers behind a name in braces. */
import { type CompletionItem, CompletionItemKind } from 'vscode-languageserver/node';
import {
  BUILDER_ARGUMENTS,
  MODIFIERS,
  PLATFORM_ARGUMENTS,
  PROXY_ARGUMENTS,
} from '../../../src/lib/dockerfile/manual/variables.ts';
import type { Dockerfile, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { variablesIn } from '../../facts.ts';
import { type Draft, itemsAt } from './items.ts';

export interface VariablePlace {
  /** The word up to the cursor. */
  readonly typed: string;
  readonly offset: number;
  /** FROM sees the global arguments only. */
  readonly scope: 'global' | 'stage';
}

/** Longer values are cut in the list. */
const DETAIL_LENGTH = 60;

/** Undefined when no variable is being written. */
export function variables(file: Dockerfile, place: VariablePlace): CompletionItem[] | undefined {
  const { typed, offset } = place;
  const modifier = /\$\{[A-Za-z_]\w*([-:+?#%/]{1,2})$/.exec(typed)?.[1];
  if (modifier !== undefined) return modifiers(file, modifier, offset);
  const begun = /(^|[^\\`$])\$(\{?)([A-Za-z_]\w*)?$/.exec(typed);
  if (begun === null) return undefined;
  const brace = begun[2] === '{';
  const start = offset - (begun[3] ?? '').length;
  const range = { start, end: wordEnd(file.text, offset) };
  if (!brace && file.text[range.end] === '{' && start === range.end) return [];
  const suffix = brace && !isClosed(file.text, range.end) ? '}' : '';
  return itemsAt(
    file,
    range,
    drafts(file, place).map((draft) => ({ ...draft, insert: draft.label + suffix })),
  );
}

/** Behind the name stands its brace, or a modifier whose brace is on the same line. */
function isClosed(text: string, end: number): boolean {
  return /^(?:\}|[-:+?#%/][^\n]*\})/.test(text.slice(end, end + 1000));
}

function wordEnd(text: string, offset: number): number {
  let end = offset;
  while (/\w/.test(text[end] ?? '')) end++;
  return end;
}

function drafts(file: Dockerfile, { offset, scope }: VariablePlace): Draft[] {
  const table = variablesIn(file);
  const inForce = scope === 'global' ? table.global() : table.at(offset);
  const found = [...inForce.values()].reverse().map(({ name, origin, value }): Draft => ({
    label: name,
    kind: CompletionItemKind.Variable,
    detail: value === undefined ? origin : `${origin} ${cut(value)}`,
  }));
  const known = scope === 'global' ? PLATFORM_ARGUMENTS : PROXY_ARGUMENTS;
  const predefined = Object.entries(known)
    .filter(([name]) => !inForce.has(name))
    .map(([name, { summary }]) => predefinedDraft(name, summary));
  return [...found, ...predefined];
}

function predefinedDraft(label: string, detail: string): Draft {
  return { label, detail, kind: CompletionItemKind.Constant, manual: `variable/${label}` };
}

function cut(value: string): string {
  return value.length > DETAIL_LENGTH ? `${value.slice(0, DETAIL_LENGTH)}…` : value;
}

function modifiers(file: Dockerfile, begun: string, offset: number): CompletionItem[] {
  const range: Range = { start: offset - begun.length, end: offset };
  const fitting = MODIFIERS.filter(({ operator }) => operator.startsWith(begun));
  return itemsAt(
    file,
    range,
    fitting.map(({ operator, operand, summary }) => ({
      label: `${operator}${operand}`,
      insert: operator,
      detail: summary,
      kind: CompletionItemKind.Operator,
    })),
  );
}

/** Names for ARG: those of the global scope, and those that the builder gives a value. */
export function argumentNames(
  file: Dockerfile,
  place: Range,
  scope: 'global' | 'stage',
): CompletionItem[] {
  const global: Draft[] =
    scope === 'global'
      ? []
      : [...variablesIn(file).global().values()].map(({ name, value }) => ({
          label: name,
          kind: CompletionItemKind.Variable,
          detail: value === undefined ? 'global argument' : `global argument ${cut(value)}`,
        }));
  const equals = file.text.slice(place.start, place.end).indexOf('=');
  const name = equals < 0 ? place : { start: place.start, end: place.start + equals };
  const known =
    scope === 'global' ? BUILDER_ARGUMENTS : { ...PLATFORM_ARGUMENTS, ...BUILDER_ARGUMENTS };
  const predefined = Object.entries(known).map(([name, { summary }]) =>
    predefinedDraft(name, summary),
  );
  return itemsAt(file, name, [...global, ...predefined]);
}

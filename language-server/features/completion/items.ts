/** The making of completion items: one place for their documentation keys, order and edits. */
import {
  type CompletionItem,
  CompletionItemKind,
  InsertTextFormat,
  type MarkupContent,
  MarkupKind,
} from 'vscode-languageserver/node';
import { DIRECTIVES } from '../../../src/lib/dockerfile/manual/directives.ts';
import { type Entry, markdownOf, type Snippet } from '../../../src/lib/dockerfile/manual/entry.ts';
import { flagEntry } from '../../../src/lib/dockerfile/manual/flags.ts';
import { INSTRUCTIONS } from '../../../src/lib/dockerfile/manual/instructions.ts';
import { keyEntry } from '../../../src/lib/dockerfile/manual/mounts.ts';
import { predefinedEntry } from '../../../src/lib/dockerfile/manual/variables.ts';
import { MOUNT_TYPES } from '../../../src/lib/dockerfile/mounts.ts';
import { INSTRUCTION_KINDS } from '../../../src/lib/dockerfile/statement.ts';
import type { Dockerfile, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { rangeAt } from '../positions.ts';

/** What a completion asks of the client. */
export interface Abilities {
  readonly snippets: boolean;
}

export interface Completions {
  readonly items: CompletionItem[];
  /** More may be known in a moment. */
  readonly isIncomplete: boolean;
}

export const NO_COMPLETIONS: Completions = { items: [], isIncomplete: false };

export function complete(items: CompletionItem[]): Completions {
  return { items, isIncomplete: false };
}

/** What an item says and inserts; the place is given once for all. */
export interface Draft {
  readonly label: string;
  readonly kind: CompletionItemKind;
  readonly detail?: string;
  /** The label where it is absent. */
  readonly insert?: string;
  /** A key of the manual (see `resolveItem`). */
  readonly manual?: string;
  /** What it replaces where that is not the place of all. */
  readonly place?: Range;
}

/** Items that replace one range, in the order given. */
export function itemsAt(
  file: Dockerfile,
  place: Range,
  drafts: readonly Draft[],
): CompletionItem[] {
  const range = rangeAt(file.lines, place);
  // A blank that is there already is not inserted again.
  const isApart = /[ \t]/.test(file.text.charAt(place.end));
  return drafts.map(({ label, kind, detail, insert = label, manual, place: own }, index) => ({
    label,
    kind,
    sortText: String(index).padStart(5, '0'),
    filterText: insert.trimEnd(),
    textEdit: {
      range: own === undefined ? range : rangeAt(file.lines, own),
      newText: isApart ? insert.trimEnd() : insert,
    },
    ...(detail === undefined ? {} : { detail }),
    ...(manual === undefined ? {} : { data: manual }),
  }));
}

/** Snippets as items; `lower`: the keyword in lower case. */
export function snippetsAt(
  file: Dockerfile,
  place: Range,
  { snippets, lower }: { readonly snippets: readonly Snippet[]; readonly lower: boolean },
): CompletionItem[] {
  const range = rangeAt(file.lines, place);
  const cased = (text: string): string =>
    lower ? text.replace(/^[A-Z]+/, (keyword) => keyword.toLowerCase()) : text;
  return snippets.map(({ label, body, summary }) => ({
    label: `${cased(label)} …`,
    kind: CompletionItemKind.Snippet,
    detail: summary,
    sortText: `~${label}`,
    filterText: cased(label),
    insertTextFormat: InsertTextFormat.Snippet,
    textEdit: { range, newText: cased(body) },
  }));
}

/** The item with its documentation from the manual. Unknown keys leave it as it is. */
export function resolveItem(item: CompletionItem): CompletionItem {
  const entry = typeof item.data === 'string' ? entryOf(item.data) : undefined;
  return entry === undefined ? item : { ...item, documentation: markdown(markdownOf(entry)) };
}

export function markdown(value: string): MarkupContent {
  return { kind: MarkupKind.Markdown, value };
}

/** `instruction/RUN`, `flag/RUN/mount`, `key/cache/target`, `variable/TARGETARCH`, `directive/escape`. */
function entryOf(key: string): Entry | undefined {
  const [table, first = '', second = ''] = key.split('/');
  const instruction = INSTRUCTION_KINDS.find((kind) => kind === first);
  if (table === 'instruction') return instruction && INSTRUCTIONS[instruction];
  if (table === 'flag') return instruction && flagEntry(instruction, second);
  if (table === 'key') {
    const type = MOUNT_TYPES.find((known) => known === first);
    return type && keyEntry(type, second);
  }
  if (table === 'variable') return predefinedEntry(first);
  if (table !== 'directive') return undefined;
  return first === 'syntax' || first === 'escape' || first === 'check'
    ? DIRECTIVES[first]
    : undefined;
}

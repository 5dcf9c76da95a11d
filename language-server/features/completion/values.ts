/** Completes the arguments of instructions that take words of a known kind: ports, signals, users, labels, forms. */
import { type CompletionItem, CompletionItemKind } from 'vscode-languageserver/node';
import { INSTRUCTIONS } from '../../../src/lib/dockerfile/manual/instructions.ts';
import { IMAGE_LABELS, PORTS, SIGNALS } from '../../../src/lib/dockerfile/manual/values.ts';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import type { Argument } from '../cursor.ts';
import type { ImageFiles } from './inside.ts';
import { complete, type Completions, type Draft, itemsAt, NO_COMPLETIONS } from './items.ts';
import { owners } from './users.ts';
import { argumentNames } from './variables.ts';

export interface ValueSources {
  readonly inside: ImageFiles | undefined;
}

/** What an argument may be, by the instruction; nothing for those that take anything. */
export function values(
  file: Dockerfile,
  cursor: Argument,
  sources: ValueSources,
): Promise<Completions> | Completions {
  const { instructionKind, index, typed, word } = cursor;
  const list = (drafts: readonly Draft[]): Completions => complete(itemsAt(file, word, drafts));
  switch (instructionKind) {
    case 'EXPOSE':
      return list(ports(typed));
    case 'STOPSIGNAL':
      return index > 0 ? NO_COMPLETIONS : list(signals());
    case 'USER':
      return index > 0 ? NO_COMPLETIONS : users(file, cursor, sources.inside);
    case 'LABEL':
      return typed.includes('=') ? NO_COMPLETIONS : complete(labels(file, cursor));
    case 'HEALTHCHECK':
      return index > 0 ? NO_COMPLETIONS : list(HEALTH);
    case 'ARG': {
      if (typed.includes('=')) return NO_COMPLETIONS;
      const first = file.stages[0]?.range.start ?? Infinity;
      return complete(argumentNames(file, word, word.start < first ? 'global' : 'stage'));
    }
    case 'SHELL': {
      if (index > 0) return NO_COMPLETIONS;
      const { snippets } = INSTRUCTIONS.SHELL;
      const kind = CompletionItemKind.Value;
      return list(
        snippets.map(({ body, summary }) => ({
          label: body.replace(/^SHELL /, ''),
          detail: summary,
          kind,
        })),
      );
    }
    default:
      return NO_COMPLETIONS;
  }
}

const HEALTH: readonly Draft[] = [
  {
    label: 'CMD',
    insert: 'CMD ',
    detail: 'the command that checks',
    kind: CompletionItemKind.Keyword,
  },
  {
    label: 'NONE',
    detail: "switches the base image's check off",
    kind: CompletionItemKind.Keyword,
  },
];

function ports(typed: string): Draft[] {
  const number = /^(\d+(?:-\d+)?)\//.exec(typed)?.[1];
  if (number !== undefined) {
    return ['tcp', 'udp', 'sctp'].map((protocol) => ({
      label: `${number}/${protocol}`,
      kind: CompletionItemKind.EnumMember,
    }));
  }
  return Object.entries(PORTS).map(([label, detail]) => ({
    label,
    detail,
    kind: CompletionItemKind.Value,
  }));
}

function signals(): Draft[] {
  return SIGNALS.map(({ name, number, summary }) => ({
    label: name,
    detail: `${String(number)}: ${summary}`,
    kind: CompletionItemKind.EnumMember,
  }));
}

async function users(
  file: Dockerfile,
  { word, typed }: Argument,
  inside: ImageFiles | undefined,
): Promise<Completions> {
  const { found, pending } = await owners(file, { typed, offset: word.start }, inside);
  const known = new Set(found.map(({ label }) => label));
  const usual = typed.includes(':') ? [] : USUAL.filter(({ label }) => !known.has(label));
  return { items: itemsAt(file, word, [...found, ...usual]), isIncomplete: pending };
}

const USUAL: readonly Draft[] = [
  { label: 'root', detail: 'the superuser', kind: CompletionItemKind.Value },
  { label: 'nobody', detail: 'a user without rights', kind: CompletionItemKind.Value },
  {
    label: '1000:1000',
    detail: "commonly the first user's numbers",
    kind: CompletionItemKind.Value,
  },
];

/** A value that is there already stays. */
function labels(file: Dockerfile, { before, word }: Argument): CompletionItem[] {
  const used = new Set(before.map(({ text }) => text.split('=')[0]));
  const equals = file.text.slice(word.start, word.end).indexOf('=');
  const place = equals < 0 ? word : { start: word.start, end: word.start + equals };
  const kind = CompletionItemKind.Property;
  const drafts = Object.entries(IMAGE_LABELS)
    .filter(([name]) => !used.has(name))
    .map(([label, detail]) => ({
      label,
      insert: equals < 0 ? `${label}=` : label,
      detail,
      kind,
    }));
  return itemsAt(file, place, drafts);
}

/** Completes flags, their values, and the keys and values of mounts. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { flagTable } from '../../../src/lib/dockerfile/flags.ts';
import { flagEntries, flagEntry } from '../../../src/lib/dockerfile/manual/flags.ts';
import {
  type KeyEntry,
  keyEntry,
  MOUNTS,
  TYPE_KEY,
} from '../../../src/lib/dockerfile/manual/mounts.ts';
import { MOUNT_TYPES } from '../../../src/lib/dockerfile/mounts.ts';
import type { Dockerfile, MountType, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { stageAt } from '../../../src/lib/dockerfile/scope/places.ts';
import type { Argument } from '../cursor.ts';
import { excludes } from './excludes.ts';
import { complete, type Completions, type Draft, itemsAt, NO_COMPLETIONS } from './items.ts';
import { imagesAndStages, type ImageSource } from './images.ts';
import { type ImageFiles, insideFrom, insideStage } from './inside.ts';
import { type ContextFiles, paths } from './paths.ts';
import { owners } from './users.ts';

export interface FlagSources {
  readonly images: ImageSource | undefined;
  readonly files: ContextFiles | undefined;
  readonly inside: ImageFiles | undefined;
}

/** The names of flags where one begins with dashes; those that are there already and take one value are left out. */
export function flagNames(file: Dockerfile, cursor: Argument): Completions {
  const { instructionKind, instruction, before, word, typed } = cursor;
  const used = new Set(before.map(({ text }) => /^--([^=]*)/.exec(text)?.[1]));
  for (const { name, range } of instruction.flags) if (range.start > word.end) used.add(name);
  const equals = file.text.slice(word.start, word.end).indexOf('=');
  const end = equals < 0 || typed.includes('=') ? word.end : word.start + equals;
  const place = { start: word.start, end };
  const drafts = Object.entries(flagTable(instructionKind))
    .filter(([name, type]) => type === 'strings' || !used.has(name))
    .map(([name, type]): Draft => {
      const summary = flagEntries(instructionKind)[name]?.summary;
      return {
        label: `--${name}`,
        insert: type === 'boolean' || equals >= 0 ? `--${name}` : `--${name}=`,
        kind: CompletionItemKind.Property,
        manual: `flag/${instructionKind}/${name}`,
        ...(summary === undefined ? {} : { detail: summary }),
      };
    });
  return complete(itemsAt(file, place, drafts));
}

/** The values behind `--name=`. */
export async function flagValues(
  file: Dockerfile,
  cursor: Argument,
  sources: FlagSources,
): Promise<Completions> {
  const { instructionKind, typed, word } = cursor;
  const equals = typed.indexOf('=');
  const name = typed.slice(2, equals);
  const entry = flagEntry(instructionKind, name);
  if (entry === undefined) return NO_COMPLETIONS;
  const place = { start: word.start + equals + 1, end: word.end };
  const value = typed.slice(equals + 1);
  if (name === 'mount') return mountParts(file, cursor, { value, sources });
  if (name === 'from') {
    return imagesAndStages(file, { place, typed: value, before: undefined }, sources.images);
  }
  if (name === 'exclude')
    return excludes(file, cursor, {
      place,
      typed: value,
      files: sources.files,
      inside: sources.inside,
    });
  if (name === 'platform' && cursor.instruction.kind === 'FROM')
    return platforms(file, { place, image: cursor.instruction.image.text }, sources.images);
  const drafts: Draft[] = entry.values.map((one) => ({
    label: one.value,
    detail: one.summary,
    kind: CompletionItemKind.EnumMember,
  }));
  if (name !== 'chown') return complete(itemsAt(file, place, drafts));
  const { found, pending } = await owners(
    file,
    { typed: value, offset: word.start },
    sources.inside,
  );
  const known = new Set(found.map(({ label }) => label));
  const usual = value.includes(':') ? [] : drafts.filter(({ label }) => !known.has(label));
  return { items: itemsAt(file, place, [...found, ...usual]), isIncomplete: pending };
}

/** Those that there are of the image first. */
function platforms(
  file: Dockerfile,
  { place, image }: { readonly place: Range; readonly image: string },
  images: ImageSource | undefined,
): Completions {
  const known = image === '' ? undefined : images?.platforms(image);
  const kind = CompletionItemKind.EnumMember;
  const own = (known?.value ?? []).map((label): Draft => ({ label, detail: `of ${image}`, kind }));
  const there = new Set(own.map(({ label }) => label));
  const usual = (flagEntry('FROM', 'platform')?.values ?? [])
    .filter(({ value }) => !there.has(value))
    .map(({ value, summary }): Draft => ({ label: value, detail: summary, kind }));
  const isIncomplete = known?.pending === true;
  return { items: itemsAt(file, place, [...own, ...usual]), isIncomplete };
}

interface MountPlace {
  /** The flag's value up to the cursor. */
  readonly value: string;
  readonly sources: FlagSources;
}

async function mountParts(
  file: Dockerfile,
  { word, typed: written, rest, piece }: Argument,
  { value, sources }: MountPlace,
): Promise<Completions> {
  const comma = value.lastIndexOf(',') + 1;
  const field = value.slice(comma);
  const index = written.length - field.length;
  // A field that begins on a line above cannot be replaced.
  if (index < piece.index) return NO_COMPLETIONS;
  const whole = value + rest;
  const offset = piece.offset + written.length - piece.index;
  const behind = /^[^,]*/.exec(file.text.slice(offset, word.end))?.[0] ?? '';
  const fieldPlace = { start: offset - field.length, end: offset + behind.length };
  const equals = field.indexOf('=');
  if (equals < 0) {
    const others = value.slice(0, comma) + whole.slice(value.length + behind.length);
    return complete(mountKeys(file, others, fieldPlace));
  }
  const type = typeOf(whole);
  const key = field.slice(0, equals).toLowerCase();
  const place = { start: fieldPlace.start + equals + 1, end: fieldPlace.end };
  const typed = field.slice(equals + 1);
  const entry = keyEntry(type, key);
  if (key === 'from')
    return imagesAndStages(file, { place, typed, before: undefined }, sources.images);
  const named = await mountPaths(file, { key, type, whole, place, typed, sources });
  if (named !== undefined) return named;
  const drafts = (entry?.values ?? []).map((one) => ({
    label: one.value,
    detail: one.summary,
    kind: CompletionItemKind.EnumMember,
  }));
  return complete(itemsAt(file, place, drafts));
}

interface MountPath {
  readonly key: string;
  readonly type: MountType;
  /** The flag's whole value. */
  readonly whole: string;
  readonly place: Range;
  readonly typed: string;
  readonly sources: FlagSources;
}

/** Sources in the context or in what `from` names, and targets in the stage; undefined for keys that are no paths. */
async function mountPaths(
  file: Dockerfile,
  { key, type, whole, place, typed, sources }: MountPath,
): Promise<Completions | undefined> {
  const offset = place.start + typed.length;
  const stage = stageAt(file, offset);
  const isSource = key === 'source' || key === 'src';
  if (isSource && (type === 'bind' || type === 'cache')) {
    const from = /(?:^|,)from=([^,]*)/.exec(whole)?.[1];
    if (from === undefined)
      return type === 'bind'
        ? paths(file, { place, typed, form: 'mount' }, sources.files)
        : undefined;
    if (stage === undefined) return NO_COMPLETIONS;
    const use = { name: from, kind: 'mount', at: stage } as const;
    return insideFrom(file, use, { place, typed, offset, directories: false }, sources.inside);
  }
  if (!['target', 'dst', 'destination'].includes(key)) return undefined;
  return insideStage(file, stage, { place, typed, offset, directories: true }, sources.inside);
}

function typeOf(value: string): MountType {
  const written = /(?:^|,)type=([a-z]*)/i.exec(value)?.[1]?.toLowerCase();
  return MOUNT_TYPES.find((type) => type === written) ?? 'bind';
}

/**
 * `type` first, and whole beginnings such as `type=cache`; then the keys of the type that are not among the other fields.
 * A key's value that is there already stays.
 */
function mountKeys(file: Dockerfile, others: string, field: Range): ReturnType<typeof itemsAt> {
  const used = new Set(others.split(',').map((one) => one.split('=')[0]?.toLowerCase()));
  const written = file.text.slice(field.start, field.end);
  const equals = written.indexOf('=');
  const place = equals < 0 ? field : { start: field.start, end: field.start + equals };
  const drafts: Draft[] = [];
  const isKnown = /(^|,)type=[a-z]/i.test(others);
  const type = typeOf(isKnown ? others : written);
  if (!isKnown) {
    for (const { value: name, summary } of TYPE_KEY.values) {
      drafts.push({
        label: `type=${name}`,
        detail: summary,
        kind: CompletionItemKind.EnumMember,
        manual: `key/${name}/type`,
        place: field,
      });
    }
  }
  for (const [name, entry] of Object.entries(MOUNTS[type].keys)) {
    if (isUsed(name, entry, used)) continue;
    drafts.push({
      label: name,
      insert: entry.bare || equals >= 0 ? name : `${name}=`,
      detail: entry.summary,
      kind: CompletionItemKind.Property,
      manual: `key/${type}/${name}`,
    });
  }
  return itemsAt(file, place, drafts);
}

function isUsed(
  name: string,
  { aliases }: KeyEntry,
  used: ReadonlySet<string | undefined>,
): boolean {
  return used.has(name) || aliases.some((alias) => used.has(alias));
}

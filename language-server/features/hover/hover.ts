/** Hover: what the thing under the cursor is, in the manual's words, and what is known of it at this place. */
import type { Hover } from 'vscode-languageserver/node';
import { DIRECTIVES } from '../../../src/lib/dockerfile/manual/directives.ts';
import { type Entry, markdownOf } from '../../../src/lib/dockerfile/manual/entry.ts';
import { flagEntry } from '../../../src/lib/dockerfile/manual/flags.ts';
import { INSTRUCTIONS } from '../../../src/lib/dockerfile/manual/instructions.ts';
import { keyEntry, MOUNTS, TYPE_KEY } from '../../../src/lib/dockerfile/manual/mounts.ts';
import { occurrenceAt } from '../../../src/lib/dockerfile/scope/names.ts';
import { heldBy, instructionAt, touches } from '../../../src/lib/dockerfile/scope/places.ts';
import type {
  Dockerfile,
  Flag,
  Instruction,
  Mount,
  Range,
} from '../../../src/lib/dockerfile/syntax.ts';
import { namesIn } from '../../facts.ts';
import { markdown } from '../completion/items.ts';
import { rangeAt } from '../positions.ts';
import { describeImage, type ImageFacts } from './image.ts';
import { describeIgnored } from './ignored.ts';
import { describeName } from './names.ts';
import { describeValue } from './values.ts';
import { describeVariable } from './variable.ts';

/** What hover may ask; it answers at once with what is known. */
export interface HoverSources {
  readonly images: ImageFacts | undefined;
}

/** A part of the file and what is to be said of it, as Markdown. */
export interface Described {
  readonly range: Range;
  readonly text: string;
}

/** The hover at an offset; null where nothing is to be said. */
export function hoverAt(file: Dockerfile, offset: number, sources: HoverSources): Hover | null {
  const found = describe(file, offset, sources);
  if (found === undefined) return null;
  return { contents: markdown(found.text), range: rangeAt(file.lines, found.range) };
}

function describe(file: Dockerfile, offset: number, sources: HoverSources): Described | undefined {
  const directive = describeIgnored(file, offset) ?? describeDirective(file, offset);
  if (directive !== undefined) return directive;
  const outer = instructionAt(file, offset);
  if (outer === undefined) return undefined;
  if (touches(outer.keyword.range, offset)) return describeKeyword(outer);
  const inner = heldBy(outer);
  if (inner === undefined) return undefined;
  if (inner !== outer && touches(inner.keyword.range, offset)) return describeKeyword(inner);
  return (
    describeVariable(file, inner, { offset, facts: sources.images }) ??
    describeOccurrence(file, offset) ??
    describeImage(file, inner, { offset, facts: sources.images }) ??
    describeFlag(inner, offset) ??
    describeValue(inner, offset)
  );
}

function describeDirective({ directives }: Dockerfile, offset: number): Described | undefined {
  for (const name of ['syntax', 'escape', 'check'] as const) {
    const range = directives[name]?.range;
    if (range === undefined || !touches(range, offset)) continue;
    return { range, text: markdownOf(DIRECTIVES[name]) };
  }
  return undefined;
}

function describeKeyword({ kind, keyword }: Instruction): Described | undefined {
  if (kind === 'UNKNOWN') return undefined;
  const entry = INSTRUCTIONS[kind];
  const forms = entry.forms.map((form) => [kind, ...form.map(({ label }) => label)].join(' '));
  const syntax = ['```dockerfile', ...forms, '```'].join('\n');
  return { range: keyword.range, text: `${syntax}\n\n${markdownOf(entry)}` };
}

function describeOccurrence(file: Dockerfile, offset: number): Described | undefined {
  const occurrence = occurrenceAt(namesIn(file), offset);
  return occurrence === undefined ? undefined : describeName(file, occurrence);
}

function describeFlag(instruction: Instruction, offset: number): Described | undefined {
  const flag = instruction.flags.find(({ range }) => touches(range, offset));
  if (flag === undefined || instruction.kind === 'UNKNOWN') return undefined;
  const entry = flagEntry(instruction.kind, flag.name);
  if (entry === undefined) return undefined;
  if (instruction.kind === 'RUN' && flag.name === 'mount') {
    const mount = instruction.mounts.find(({ range }) => touches(range, offset));
    const part = mount === undefined ? undefined : describeMount(mount, offset);
    if (part !== undefined) return part;
  }
  const value = valueAt(flag, entry.values, offset);
  if (value !== undefined) return value;
  const title = `\`--${flag.name}=${entry.placeholder}\``;
  const range = touches(flag.nameRange, offset) ? flag.nameRange : flag.range;
  return { range, text: `${title}\n\n${markdownOf(entry)}` };
}

function valueAt(
  { value }: Flag,
  values: readonly { readonly value: string; readonly summary: string }[],
  offset: number,
): Described | undefined {
  if (value === undefined || !touches(value.range, offset)) return undefined;
  const known = values.find((one) => one.value === value.text);
  return known === undefined
    ? undefined
    : { range: value.range, text: `\`${known.value}\`: ${known.summary}` };
}

function describeMount({ type, options }: Mount, offset: number): Described | undefined {
  for (const { key, keyRange, value } of options) {
    const entry = keyEntry(type, key);
    const isKey = touches(keyRange, offset);
    if (!isKey && (value === undefined || !touches(value.range, offset))) continue;
    if (!isKey && key === 'type' && value !== undefined)
      return { range: value.range, text: markdownOf(MOUNTS[type]) };
    const known = isKey ? undefined : entry?.values.find((one) => one.value === value?.text);
    if (known !== undefined && value !== undefined)
      return { range: value.range, text: `\`${known.value}\`: ${known.summary}` };
    const other: Entry | undefined = key === 'type' ? TYPE_KEY : entry;
    const range = isKey || value === undefined ? keyRange : value.range;
    return other && { range, text: `\`${key}\` (${type})\n\n${markdownOf(other)}` };
  }
  return undefined;
}

/** What hover says of a variable: its value at this line, where that comes from, or what the builder gives it. */
import { markdownOf } from '../../../src/lib/dockerfile/manual/entry.ts';
import { MODIFIERS, predefinedEntry } from '../../../src/lib/dockerfile/manual/variables.ts';
import { occurrenceAt } from '../../../src/lib/dockerfile/scope/names.ts';
import { touches } from '../../../src/lib/dockerfile/scope/places.ts';
import { visitShell } from '../../../src/lib/dockerfile/shell/walk.ts';
import type { Variable } from '../../../src/lib/dockerfile/scope/variables.ts';
import type { Dockerfile, Instruction, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { type VariableReference, variablesOf } from '../../../src/lib/dockerfile/tree/variables.ts';
import { namesIn, scriptsIn, variablesIn } from '../../facts.ts';
import type { Described } from './hover.ts';
import type { ImageFacts } from './image.ts';
import { baseImage, imageValue, unanswered } from './inherited.ts';

/** Longer values are cut. */
const LENGTH = 1000;

export function describeVariable(
  file: Dockerfile,
  instruction: Instruction,
  { offset, facts }: { readonly offset: number; readonly facts: ImageFacts | undefined },
): Described | undefined {
  const reference = referenceAt(variablesOf(instruction, file), offset);
  const occurrence = occurrenceAt(namesIn(file), offset);
  const named = occurrence?.named.kind === 'variable' ? occurrence : undefined;
  const shell =
    reference === undefined && named === undefined
      ? builtInAt(file, instruction, offset)
      : undefined;
  const name = reference?.name ?? named?.named.name ?? shell?.name;
  const range = rangeOf(reference, offset) ?? named?.range ?? shell?.range;
  if (name === undefined || range === undefined) return undefined;
  const isDefinition = reference === undefined && named?.role === 'definition';
  // A definition has the value that it sets: that in force behind the instruction.
  const place = isDefinition ? instruction.range.end + 1 : offset;
  const found = variablesIn(file).lookup(name, place);
  const text = [
    valueText(file, { name, found, range, facts }),
    modifierText(reference),
    predefinedText(name),
  ].filter((part) => part !== '');
  return { range, text: text.join('\n\n') };
}

/** The name, or all of the reference around its dollar, modifier and operand. */
function rangeOf(reference: VariableReference | undefined, offset: number): Range | undefined {
  if (reference === undefined) return undefined;
  return touches(reference.nameRange, offset) ? reference.nameRange : reference.range;
}

/** A variable of a shell text that its stage does not define, and the builder or the file's head may. */
function builtInAt(
  file: Dockerfile,
  instruction: Instruction,
  offset: number,
): { readonly name: string; readonly range: Range } | undefined {
  const script = scriptsIn(file).find((use) => use.instruction === instruction)?.script;
  if (script === undefined) return undefined;
  let found: { name: string; range: Range } | undefined;
  visitShell(script, {
    part: (part) => {
      if (part.kind !== 'parameter' || !touches(part.nameRange, offset)) return;
      if (predefinedEntry(part.name) !== undefined || variablesIn(file).global().has(part.name))
        found = { name: part.name, range: part.nameRange };
    },
  });
  return found;
}

function referenceAt(
  references: readonly VariableReference[],
  offset: number,
): VariableReference | undefined {
  const found = references.find(({ range }) => touches(range, offset));
  return found === undefined ? undefined : (referenceAt(found.inner, offset) ?? found);
}

interface Asked {
  readonly name: string;
  readonly found: Variable | undefined;
  readonly range: Range;
  readonly facts: ImageFacts | undefined;
}

function valueText(file: Dockerfile, { name, found, range, facts }: Asked): string {
  const { lines } = file;
  const base = baseImage(file, range.start);
  if (found === undefined) {
    const given = base === undefined ? undefined : imageValue(facts, base, name);
    return given === undefined || base === undefined
      ? undefinedText(file, name)
      : `from the base image \`${base}\`\n\n${block(name, given)}`;
  }
  const { origin, value, pair } = found;
  if (origin === 'predefined') return `\`${name}\` is set by the builder.`;
  const line = pair === undefined ? -1 : lines.position(pair.name.range.start).line;
  const isHere = line === lines.position(range.start).line;
  const where = line < 0 || isHere ? '' : ` (line ${String(line + 1)})`;
  if (value === undefined) {
    return `\`${name}\`: ${origin}${where}; only the build knows its value.`;
  }
  const title = `${origin}${where}`;
  const open = pair === undefined || base === undefined ? [] : [...unanswered(file, pair)];
  if (open.length === 0 || base === undefined) return `${title}\n\n${block(name, value)}`;
  const others = open.map((other) => {
    const given = imageValue(facts, base, other);
    return given === undefined
      ? `\`${other}\` is what the base image \`${base}\` makes it, or nothing.`
      : `From the base image \`${base}\`:\n\n${block(other, given)}`;
  });
  return [title, block(name, pair?.value?.text ?? value), ...others].join('\n\n');
}

/** Arguments from before the first FROM are for FROM lines, until a stage asks for them. */
function undefinedText(file: Dockerfile, name: string): string {
  const nothing = `\`${name}\` has no value in this file at this line.`;
  if (!variablesIn(file).global().has(name)) return nothing;
  return `${nothing} It is an argument from before the first FROM: \`ARG ${name}\` in this stage brings it here.`;
}

/** It may come from an image, so nothing in it may be Markdown. */
function block(name: string, value: string): string {
  const shown = value.length > LENGTH ? `${value.slice(0, LENGTH)}…` : value;
  return `\`\`\`text\n${name}=${shown.replaceAll('```', "'''").replaceAll(/[\r\n]/g, ' ')}\n\`\`\``;
}

function modifierText(reference: VariableReference | undefined): string {
  const operator = reference?.modifier ?? '';
  const modifier = MODIFIERS.find((known) => known.operator === operator);
  return modifier === undefined ? '' : `\`${operator}\`: ${modifier.summary}.`;
}

function predefinedText(name: string): string {
  const entry = predefinedEntry(name);
  return entry === undefined ? '' : markdownOf(entry);
}

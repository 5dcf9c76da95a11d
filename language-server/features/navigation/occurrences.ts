/** Definition, references and highlights of stages, variables and heredocs: three views of one list of places. */
import {
  type DefinitionLink,
  type DocumentHighlight,
  DocumentHighlightKind,
  type Location,
  type Range,
} from 'vscode-languageserver/node';
import { type Occurrence, occurrenceAt } from '../../../src/lib/dockerfile/scope/names.ts';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import { namesIn, variablesIn } from '../../facts.ts';
import { rangeAt } from '../positions.ts';

/** A document's text and its address. */
export interface Addressed {
  readonly file: Dockerfile;
  readonly uri: string;
  readonly offset: number;
}

/**
 * Where the name is defined: a stage's FROM, a heredoc's mark, and for a variable the ARG or ENV that is in force at
 * this place; where none is, the last one before it, or the first one.
 */
export function definitionOf({ file, uri, offset }: Addressed): DefinitionLink[] {
  const occurrence = occurrenceAt(namesIn(file), offset);
  if (occurrence === undefined) return [];
  const target = definitionFor(file, occurrence);
  if (target === undefined) return [];
  return [
    {
      originSelectionRange: rangeAt(file.lines, occurrence.range),
      targetUri: uri,
      targetRange: rangeAt(file.lines, target.instruction.range),
      targetSelectionRange: rangeAt(file.lines, target.range),
    },
  ];
}

function definitionFor(file: Dockerfile, occurrence: Occurrence): Occurrence | undefined {
  if (occurrence.role === 'definition') return occurrence;
  const definitions = occurrence.named.occurrences.filter(({ role }) => role === 'definition');
  if (occurrence.named.kind !== 'variable') return definitions[0];
  const { start } = occurrence.range;
  const pair = variablesIn(file).lookup(occurrence.named.name, start)?.pair;
  const inForce = definitions.find(({ range }) => range.start === pair?.name.range.start);
  if (inForce !== undefined) return inForce;
  // A variable of the same instruction has its old value still.
  const before = definitions.findLast(
    ({ range, instruction }) => range.start < start && instruction !== occurrence.instruction,
  );
  return before ?? definitions[0];
}

/** All places of the name, with or without its definitions. */
export function referencesOf(
  { file, uri, offset }: Addressed,
  { includeDeclaration }: { readonly includeDeclaration: boolean },
): Location[] {
  const occurrence = occurrenceAt(namesIn(file), offset);
  if (occurrence === undefined) return [];
  return occurrence.named.occurrences
    .filter(({ role }) => includeDeclaration || role === 'reference')
    .map(({ range }) => ({ uri, range: rangeAt(file.lines, range) }));
}

export function highlightsOf(file: Dockerfile, offset: number): DocumentHighlight[] {
  const occurrence = occurrenceAt(namesIn(file), offset);
  if (occurrence === undefined) return [];
  return occurrence.named.occurrences.map(({ range, role }) => ({
    range: rangeAt(file.lines, range),
    kind: role === 'definition' ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
  }));
}

/** A heredoc's mark and the line that ends it are edited together. */
export function linkedRangesOf(file: Dockerfile, offset: number): Range[] | undefined {
  const occurrence = occurrenceAt(namesIn(file), offset);
  if (occurrence?.named.kind !== 'heredoc' || occurrence.named.occurrences.length < 2)
    return undefined;
  return occurrence.named.occurrences.map(({ range }) => rangeAt(file.lines, range));
}

/** Completion: asks what is being written at the offset and hands it to the part that knows of it. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import { type Argument, cursorAt } from '../cursor.ts';
import { directives } from './directives.ts';
import { flagNames, flagValues, type FlagSources } from './flags.ts';
import { imagesAndStages } from './images.ts';
import { type Abilities, complete, type Completions, itemsAt, NO_COMPLETIONS } from './items.ts';
import { keywords } from './keywords.ts';
import { paths } from './paths.ts';
import { values } from './values.ts';
import { variables } from './variables.ts';

/** What completion may ask, none of which it waits for but the reading of a directory. */
export type Sources = FlagSources & Abilities;

export const NO_SOURCES: Sources = { images: undefined, files: undefined, snippets: false };

/** The items for an offset of a file. */
export async function completionsAt(
  file: Dockerfile,
  offset: number,
  sources: Sources = NO_SOURCES,
): Promise<Completions> {
  const cursor = cursorAt(file, offset);
  switch (cursor.kind) {
    case 'nowhere':
      return NO_COMPLETIONS;
    case 'comment':
      return complete(directives(file, cursor));
    case 'keyword':
      return complete(keywords(file, cursor, sources));
    case 'body':
      return complete(variables(file, { typed: cursor.text, offset, scope: 'stage' }) ?? []);
    case 'flag':
    case 'argument':
      return argument(file, cursor, { offset, sources });
  }
}

async function argument(
  file: Dockerfile,
  cursor: Argument,
  { offset, sources }: { readonly offset: number; readonly sources: Sources },
): Promise<Completions> {
  const { instructionKind, typed } = cursor;
  const isFrom = instructionKind === 'FROM';
  const named = variables(file, { typed, offset, scope: isFrom ? 'global' : 'stage' });
  const takesNone = /^--from=|^--mount=.*(^|,)from=[^,]*$/.test(typed);
  if (named !== undefined && !takesNone) return complete(named);
  if (cursor.kind === 'flag')
    return typed.includes('=') ? flagValues(file, cursor, sources) : flagNames(file, cursor);
  if (isFrom) return base(file, cursor, sources);
  if (instructionKind === 'COPY' || instructionKind === 'ADD')
    return transferred(file, cursor, sources);
  return values(file, cursor, sources);
}

function base(file: Dockerfile, cursor: Argument, sources: Sources): Completions {
  const { index, word, typed, instruction } = cursor;
  if (index === 0) {
    const { start } = instruction.range;
    return imagesAndStages(file, { place: word, typed, before: start }, sources.images);
  }
  if (index > 1) return NO_COMPLETIONS;
  const lower = instruction.keyword.text === instruction.keyword.text.toLowerCase();
  const label = lower ? 'as' : 'AS';
  const kind = CompletionItemKind.Keyword;
  return complete(
    itemsAt(file, word, [{ label, insert: `${label} `, detail: 'names the stage', kind }]),
  );
}

/** Sources of COPY and ADD, in JSON form too; those of another stage or image are not known here. */
function transferred(
  file: Dockerfile,
  { before, typed, word, index }: Argument,
  { files }: Sources,
): Promise<Completions> | Completions {
  if (before.some(({ text }) => text.startsWith('--from='))) return NO_COMPLETIONS;
  const quote = /^(?:\[?"|.*,")([^"]*)$/.exec(typed)?.[1];
  if (quote !== undefined) {
    const start = word.start + typed.length - quote.length;
    const end = start + (/^[^"\s]*/.exec(file.text.slice(start))?.[0].length ?? 0);
    return paths(file, { place: { start, end }, typed: quote }, files);
  }
  if (typed.startsWith('<') || (typed.startsWith('/') && index > 0)) return NO_COMPLETIONS;
  return paths(file, { place: word, typed }, files);
}

/** Completion: asks what is being written at the offset and hands it to the part that knows of it. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { stageAt } from '../../../src/lib/dockerfile/scope/places.ts';
import type {
  Dockerfile,
  Instruction,
  InstructionKind,
  Range,
} from '../../../src/lib/dockerfile/syntax.ts';
import { type Argument, type Cursor, cursorAt } from '../cursor.ts';
import { directives } from './directives.ts';
import { flagNames, flagValues, type FlagSources } from './flags.ts';
import { imagesAndStages } from './images.ts';
import { insideFrom, insideStage, pathAtEnd } from './inside.ts';
import { type Abilities, complete, type Completions, itemsAt, NO_COMPLETIONS } from './items.ts';
import { keywords } from './keywords.ts';
import { paths } from './paths.ts';
import { values } from './values.ts';
import { variables } from './variables.ts';

/** What completion may ask, none of which it waits for but the reading of a directory, and for a blink a local engine's. */
export type Sources = FlagSources & Abilities;

export const NO_SOURCES: Sources = {
  images: undefined,
  files: undefined,
  inside: undefined,
  snippets: false,
};

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
      return body(file, cursor, { offset, sources });
    case 'flag':
    case 'argument':
      return argument(file, cursor, { offset, sources });
  }
}

/** A file's body under a quoted name: it is written as it stands. */
function isVerbatim(instruction: Instruction, offset: number): boolean {
  if (!('heredocs' in instruction) || instruction.kind === 'RUN') return false;
  const heredoc = instruction.heredocs.findLast(({ contentRange }) => contentRange.start <= offset);
  return heredoc?.expand === false;
}

async function body(
  file: Dockerfile,
  { text, instruction }: Extract<Cursor, { kind: 'body' }>,
  { offset, sources }: { readonly offset: number; readonly sources: Sources },
): Promise<Completions> {
  if (isVerbatim(instruction, offset)) return NO_COMPLETIONS;
  const named = variables(file, { typed: text, offset, scope: 'stage' });
  return named === undefined ? pathWithin(file, text, { offset, sources }) : complete(named);
}

/** The absolute path that is being written in a shell text or a list of words. */
function pathWithin(
  file: Dockerfile,
  text: string,
  { offset, sources }: { readonly offset: number; readonly sources: Sources },
): Promise<Completions> | Completions {
  const typed = pathAtEnd(text);
  if (typed === undefined || !file.text.startsWith(typed, offset - typed.length))
    return NO_COMPLETIONS;
  const place = placeOf(file, typed, offset);
  const stage = stageAt(file, offset);
  return insideStage(file, stage, { place, typed, offset, directories: false }, sources.inside);
}

/** From where the typed text begins to the end of the word. */
function placeOf({ text }: Dockerfile, typed: string, offset: number): Range {
  let end = offset;
  while (end < text.length && !/[\s"'=,;|&()<>[\]]/.test(text[end] ?? ' ')) end++;
  return { start: offset - typed.length, end };
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
  // What is replaced cannot begin on another line than it ends; the parts of a mount can be told apart.
  if (cursor.piece.index > 0 && !/^--mount=/.test(typed)) return NO_COMPLETIONS;
  if (cursor.kind === 'flag')
    return typed.includes('=') ? flagValues(file, cursor, sources) : flagNames(file, cursor);
  if (isFrom) return base(file, cursor, sources);
  if (instructionKind === 'COPY' || instructionKind === 'ADD')
    return transferred(file, cursor, { offset, sources });
  const isCheck = instructionKind === 'HEALTHCHECK' && cursor.index > 0;
  const isShell = instructionKind === 'SHELL' && typed !== '';
  if (isCheck || isShell || WITH_PATHS.has(instructionKind))
    return pathWithin(file, typed, { offset, sources });
  if (instructionKind === 'WORKDIR' && cursor.index === 0) {
    const place = { place: cursor.word, typed, offset, directories: true };
    return insideStage(file, stageAt(file, offset), place, sources.inside);
  }
  return values(file, cursor, sources);
}

/** Commands and lists of words, in which paths may stand anywhere. */
const WITH_PATHS: ReadonlySet<string> = new Set<InstructionKind>([
  'RUN',
  'CMD',
  'ENTRYPOINT',
  'VOLUME',
]);

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

/** Sources of COPY and ADD, in JSON form too, from the context or what `--from` names, and the place where they go. */
function transferred(
  file: Dockerfile,
  { before, typed: word, word: whole, index, instruction }: Argument,
  { offset, sources }: { readonly offset: number; readonly sources: Sources },
): Promise<Completions> | Completions {
  const quote = /^(?:\[?"|.*,")([^"]*)$/.exec(word)?.[1];
  const typed = quote ?? word;
  if (typed.startsWith('<')) return NO_COMPLETIONS;
  const place = quote === undefined ? whole : placeOf(file, typed, offset);
  const isFirst = index === 0 && !word.includes(',');
  const isTarget = typed.startsWith('/') && !isFirst && !isFollowed(file, offset);
  const stage = stageAt(file, offset);
  if (isTarget) {
    const inside = { place, typed, offset, directories: true };
    return insideStage(file, stage, inside, sources.inside);
  }
  const from = before.find(({ text }) => text.startsWith('--from='))?.text.slice(7);
  if (from !== undefined && stage !== undefined && instruction.kind === 'COPY') {
    const use = { name: from, kind: 'copy', at: stage } as const;
    return insideFrom(file, use, { place, typed, offset, directories: false }, sources.inside);
  }
  if (from !== undefined || (typed.startsWith('/') && !isFirst)) return NO_COMPLETIONS;
  const form = quote === undefined ? 'word' : 'json';
  return paths(file, { place, typed, form }, sources.files);
}

/** Another word of the same line stands behind the one at the offset. */
function isFollowed({ text }: Dockerfile, offset: number): boolean {
  return /^[^\s"]*"?,?[ \t]+[^\s\]]/.test(text.slice(offset, offset + 4096));
}

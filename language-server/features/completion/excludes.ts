/**
 * Completes the patterns of COPY's and ADD's `--exclude`: they count from each source (BuildKit matches them as
 * .dockerignore's from there), so what the sources hold is offered; the context's root while none is written.
 */
import type { CompletionItem } from 'vscode-languageserver/node';
import type { Dockerfile, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { stageAt } from '../../../src/lib/dockerfile/scope/places.ts';
import type { Argument } from '../cursor.ts';
import { type ImageFiles, insideFrom } from './inside.ts';
import { type Completions, NO_COMPLETIONS } from './items.ts';
import { type ContextFiles, paths } from './paths.ts';

export interface ExcludePlace {
  /** What the pattern replaces, and the pattern up to the cursor. */
  readonly place: Range;
  readonly typed: string;
  readonly files: ContextFiles | undefined;
  readonly inside: ImageFiles | undefined;
}

/** More sources are not looked into. */
const SOURCES = 10;

export async function excludes(
  file: Dockerfile,
  { instruction, before, rest }: Argument,
  { place: whole, typed: written, files, inside }: ExcludePlace,
): Promise<Completions> {
  if (instruction.kind !== 'COPY' && instruction.kind !== 'ADD') return NO_COMPLETIONS;
  // `!` takes a pattern back; a rest on another line cannot be replaced with it.
  const typed = written.replace(/^!/, '');
  if (typed.startsWith('/') || rest.length > whole.end - whole.start) return NO_COMPLETIONS;
  const place = { start: whole.start + written.length - typed.length, end: whole.end };
  const sources = sourcesOf(instruction.sources.map(({ text }) => text));
  const flag = before.find(({ text }) => text.startsWith('--from='))?.text.slice(7);
  const from = flag ?? (instruction.kind === 'COPY' ? instruction.from?.text : undefined);
  const offset = place.start + typed.length;
  if (from === undefined) {
    const found = sources.map((source) =>
      paths(file, { place, typed, form: 'word', base: source }, files),
    );
    return merged(await Promise.all(found));
  }
  const stage = stageAt(file, offset);
  if (stage === undefined) return NO_COMPLETIONS;
  const use = { name: from, kind: 'copy', at: stage } as const;
  const found = sources.map((base) =>
    insideFrom(file, use, { place, typed, offset, directories: false, base }, inside),
  );
  return merged(await Promise.all(found));
}

/** Directories whose content can be told; without one the root. Variables and patterns stand for anything. */
function sourcesOf(written: readonly string[]): readonly string[] {
  if (written.length === 0) return [''];
  const plain = written.filter((text) => !/[$*?[\]{}"'\\]|:\/\/|^<</.test(text));
  return [...new Set(plain)].slice(0, SOURCES);
}

function merged(found: readonly Completions[]): Completions {
  const items = new Map<string, CompletionItem>();
  for (const item of found.flatMap((each) => each.items))
    if (!items.has(item.label)) items.set(item.label, item);
  return { items: [...items.values()], isIncomplete: found.some((each) => each.isIncomplete) };
}

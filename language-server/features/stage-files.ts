/** What a stage's file system is made of, as far as the text tells: the images that may show it, its paths, its working directory. Pure. */
import { StageGraph } from '../../src/lib/dockerfile/stages.ts';
import type { Dockerfile, Instruction, Stage, Word } from '../../src/lib/dockerfile/syntax.ts';
import { Latest } from '../../src/lib/text/latest.ts';
import { variablesIn } from '../facts.ts';

/** Longer chains of stages are not followed. */
const CHAIN_LIMIT = 200;

const graphs = new Latest<Dockerfile, StageGraph>();

export function graphIn(file: Dockerfile): StageGraph {
  return graphs.of(file, ({ stages }) => new StageGraph(stages));
}

/** The stage and those that it is built from, itself first. */
function chainOf(file: Dockerfile, stage: Stage): Stage[] {
  const graph = graphIn(file);
  const chain: Stage[] = [];
  for (let at: Stage | undefined = stage; at !== undefined && chain.length < CHAIN_LIMIT;) {
    chain.push(at);
    const name = baseName(file, at);
    at = graph.resolve({ kind: 'base', name, at });
  }
  return chain;
}

/** An image's name, its variables set to what the file says. */
function baseName(file: Dockerfile, { from }: Stage): string {
  return from.image.text.includes('$') ? variablesIn(file).imageOf(from.image) : from.image.text;
}

/** What a build of the Dockerfile made of a target. */
interface Builds {
  built(target: string): string | undefined;
}

/** The images whose files are those of a stage, the best first: built of it, of the stages it is built from, its base. */
export function imagesFor(file: Dockerfile, stage: Stage, builds: Builds | undefined): string[] {
  const chain = chainOf(file, stage);
  const built = chain.flatMap((one) => targetsOf(file, one)).map((name) => builds?.built(name));
  const last = chain.at(-1);
  const base = last === undefined ? '' : baseName(file, last);
  const images = [...built, base === 'scratch' || base.includes('$') ? undefined : base];
  return [...new Set(images.filter((image) => image !== undefined && image !== ''))] as string[];
}

/** How a build may have named a stage. */
function targetsOf({ stages }: Dockerfile, { index, name }: Stage): string[] {
  const isLast = index === stages.length - 1;
  return [...(isLast ? [''] : []), ...(name === undefined ? [] : [name]), String(index)];
}

/** The directory in force at an offset; undefined when only an image knows it. */
export function workdirAt(file: Dockerfile, stage: Stage, offset: number): string | undefined {
  let directory: string | undefined;
  for (const step of stepsBefore(file, stage, offset)) directory = step.after;
  return directory;
}

/** Absolute paths that a stage and those below it make before an offset, and whether they are known to be directories. */
export function madePaths(
  file: Dockerfile,
  stage: Stage,
  offset: number,
): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>();
  for (const { instruction, before, valueOf } of stepsBefore(file, stage, offset)) {
    if (instruction === undefined) continue;
    for (const { word, isDirectory } of madeBy(instruction)) {
      const path = joined(before, valueOf(word));
      if (path !== undefined) found.set(path, isDirectory || found.get(path) === true);
    }
    if (instruction.kind === 'RUN')
      for (const path of foldersIn(instruction.argument.text)) found.set(path, true);
  }
  return found;
}

/** What `mkdir` makes, by the text alone: to read every shell text of a file would take too long here. */
function foldersIn(text: string): string[] {
  if (!text.includes('mkdir')) return [];
  const calls = text.matchAll(/\bmkdir(?:[ \t]+-[\w=-]+){0,9}((?:[ \t]+\/[\w./-]+)+)/g);
  return [...calls].flatMap(([, paths = '']) =>
    paths
      .trim()
      .split(/[ \t]+/)
      .map((path) => resolvePath('/', path)),
  );
}

/** An instruction with the directories in force before and behind it; first of all the one that the stages begin with. */
interface Step {
  readonly instruction: Instruction | undefined;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** A word of it; undefined when only the build knows its value. */
  readonly valueOf: (word: Word) => string | undefined;
}

/** The instructions of a stage before an offset, those of the stages that it is built from first. */
function* stepsBefore(file: Dockerfile, stage: Stage, offset: number): Generator<Step, void> {
  const chain = chainOf(file, stage).reverse();
  const [first] = chain;
  const isEmpty = first !== undefined && baseName(file, first) === 'scratch';
  let directory = isEmpty ? '/' : undefined;
  yield { instruction: undefined, before: directory, after: directory, valueOf: () => undefined };
  for (const one of chain) {
    const values = variablesIn(file).valuesIn(one);
    for (const instruction of one.instructions) {
      if (one === stage && instruction.range.end >= offset) return;
      const valueOf = (word: Word): string | undefined => {
        const value = values(word, instruction.range.start);
        return value === '' ? undefined : value;
      };
      const before = directory;
      if (instruction.kind === 'WORKDIR') directory = joined(directory, valueOf(instruction.value));
      yield { instruction, before, after: directory, valueOf };
    }
  }
}

function madeBy(
  instruction: Instruction,
): readonly { readonly word: Word; readonly isDirectory: boolean }[] {
  const { kind } = instruction;
  if (kind === 'WORKDIR') return [{ word: instruction.value, isDirectory: true }];
  if (kind === 'VOLUME') return instruction.words.map((word) => ({ word, isDirectory: true }));
  if (kind !== 'COPY' && kind !== 'ADD') return [];
  const { sources, dest } = instruction;
  const [only] = sources;
  const isDirectory =
    dest.text.endsWith('/') || sources.length > 1 || /^\.?\/?$|\/$/.test(only?.text ?? '');
  return [{ word: dest, isDirectory }];
}

function joined(directory: string | undefined, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (value.startsWith('/')) return resolvePath('/', value);
  return directory === undefined ? undefined : resolvePath(directory, value);
}

/** An absolute path without `.`, `..` and slashes at its end; `..` stops at the root. */
export function resolvePath(from: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${path.startsWith('/') ? '' : from}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

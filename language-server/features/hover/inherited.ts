/** What a variable has from the base image: which references of a value the file does not answer, and what the image's configuration says. */
import { stageAt } from '../../../src/lib/dockerfile/scope/places.ts';
import type { Dockerfile, Pair } from '../../../src/lib/dockerfile/syntax.ts';
import {
  type VariableReference,
  variablesIn as referencesIn,
} from '../../../src/lib/dockerfile/tree/variables.ts';
import { variablesIn } from '../../facts.ts';
import { imagesFor } from '../stage-files.ts';
import type { ImageFacts } from './image.ts';

/** Longer chains of values are not followed. */
const DEPTH = 20;

/** The image at the root of a place's stage; undefined in FROM lines, for scratch, and for what only the build knows. */
export function baseImage(file: Dockerfile, offset: number): string | undefined {
  const stage = stageAt(file, offset);
  if (stage === undefined || offset <= stage.from.range.end) return undefined;
  return imagesFor(file, stage, undefined)[0];
}

/** The value that an image's configuration gives a variable, as far as it is known now. */
export function imageValue(
  facts: ImageFacts | undefined,
  image: string,
  name: string,
): string | undefined {
  const entry = facts
    ?.describe(image)
    .value?.environment.find((variable) => variable.startsWith(`${name}=`));
  return entry?.slice(name.length + 1);
}

/** The names that a pair's value is made of, directly or through others, and that nothing in the file sets. */
export function unanswered(file: Dockerfile, pair: Pair, depth = 0): ReadonlySet<string> {
  const found = new Set<string>();
  if (pair.value === undefined || depth > DEPTH) return found;
  const { escapeCharacter } = file.directives;
  for (const reference of referencesIn(pair.value, escapeCharacter)) {
    if (hasWord(reference)) continue;
    const { name } = reference;
    const known = variablesIn(file).lookup(name, pair.name.range.start);
    if (known === undefined) found.add(name);
    else if (known.pair !== undefined && known.pair !== pair)
      for (const other of unanswered(file, known.pair, depth + 1)) found.add(other);
  }
  return found;
}

/** A word of its own stands for a value that there is not. */
function hasWord({ modifier }: VariableReference): boolean {
  return /^:?[-+]$/.test(modifier);
}

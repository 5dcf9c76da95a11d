/** Keeps what features work out from a tree: its shells, names and variables, each once while one tree is asked about. */
import { type Names, namesOf } from '../src/lib/dockerfile/scope/names.ts';
import { Variables } from '../src/lib/dockerfile/scope/variables.ts';
import { type ScriptUse, scriptsOf } from '../src/lib/dockerfile/shell/scripts.ts';
import type { Dockerfile } from '../src/lib/dockerfile/syntax.ts';
import { Latest } from '../src/lib/text/latest.ts';

const scripts = new Latest<Dockerfile, readonly ScriptUse[]>();
const names = new Latest<Dockerfile, Names>();
const variables = new Latest<Dockerfile, Variables>();

/** Larger files are generated, not written: reading their shells and judging them would hold up every answer. */
export const LARGE = 1_000_000;

/** The shell texts of a file; none of a large one. */
export function scriptsIn(file: Dockerfile): readonly ScriptUse[] {
  return scripts.of(file, (tree) => (tree.text.length > LARGE ? [] : scriptsOf(tree)));
}

/** The names of a file and where they are used. */
export function namesIn(file: Dockerfile): Names {
  return names.of(file, (tree) => namesOf(tree, scriptsIn(tree)));
}

/** The variables of a file. */
export function variablesIn(file: Dockerfile): Variables {
  return variables.of(file, (tree) => new Variables(tree));
}

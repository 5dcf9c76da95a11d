/** Rename of stages, variables and heredocs. A new name that would change the file's meaning is refused with the reason. */
import type { Range, TextEdit } from 'vscode-languageserver/node';
import {
  type Named,
  type Occurrence,
  occurrenceAt,
} from '../../../src/lib/dockerfile/scope/names.ts';
import { predefinedEntry } from '../../../src/lib/dockerfile/manual/variables.ts';
import { heldBy } from '../../../src/lib/dockerfile/scope/places.ts';
import type { ShellScript } from '../../../src/lib/dockerfile/shell/syntax.ts';
import { visitShell } from '../../../src/lib/dockerfile/shell/walk.ts';
import { stageReferences } from '../../../src/lib/dockerfile/stages.ts';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import { type VariableReference, variablesOf } from '../../../src/lib/dockerfile/tree/variables.ts';
import { namesIn, scriptsIn, variablesIn } from '../../facts.ts';
import { rangeAt } from '../positions.ts';

export type Prepared =
  { readonly range: Range; readonly placeholder: string } | { readonly refused: string };

export type Renamed = { readonly edits: TextEdit[] } | { readonly refused: string };

export function prepareRename(file: Dockerfile, offset: number): Prepared {
  const occurrence = renamableAt(file, offset);
  if (typeof occurrence === 'string') return { refused: occurrence };
  const { range } = occurrence;
  const placeholder = file.text.slice(range.start, range.end);
  return { range: rangeAt(file.lines, range), placeholder };
}

export function renameAt(file: Dockerfile, offset: number, name: string): Renamed {
  const occurrence = renamableAt(file, offset);
  if (typeof occurrence === 'string') return { refused: occurrence };
  const { named } = occurrence;
  const refused = objection(file, named, name);
  if (refused !== undefined) return { refused };
  const edits = named.occurrences
    .filter(({ renamable }) => renamable)
    .map(({ range }) => ({ range: rangeAt(file.lines, range), newText: name }));
  return { edits };
}

function renamableAt(file: Dockerfile, offset: number): Occurrence | string {
  const occurrence = occurrenceAt(namesIn(file), offset);
  if (occurrence === undefined)
    return 'only stages, ARG and ENV variables and heredocs of this file can be renamed';
  if (!occurrence.renamable)
    return occurrence.named.name === ''
      ? 'the stage has no name here: give it one with FROM … AS name'
      : `stage '${occurrence.named.name}' is named by its number here: rename it where its name stands`;
  if (isBuilders(occurrence.named))
    return `${occurrence.named.name} is set by the builder under this name, so it cannot have another`;
  if (occurrence.named.kind === 'heredoc' && occurrence.named.occurrences.length < 2)
    return `the heredoc ${occurrence.named.name} is not ended, so it cannot be renamed`;
  return occurrence;
}

function objection(file: Dockerfile, named: Named, name: string): string | undefined {
  if (named.kind === 'stage') return stageObjection(file, named, name);
  if (named.kind === 'heredoc') return heredocObjection(file, named, name);
  if (!/^[A-Za-z_]\w*$/.test(name))
    return `'${name}' is no name of a variable: letters, digits and underscores, no digit first`;
  if (name === named.name) return undefined;
  const others = namesIn(file).occurrences.some(
    (one) => one.named.kind === 'variable' && one.named !== named && one.named.name === name,
  );
  if (others) return `there is a variable ${name} in this file already`;
  if (predefinedEntry(name) !== undefined) return `the builder sets a variable ${name} itself`;
  const used = useOf(file, name);
  return used === undefined
    ? undefined
    : `line ${String(lineAt(file, used))} uses a variable ${name} already`;
}

/** An ARG that the builder gives a value by its name. */
function isBuilders({ kind, name, occurrences }: Named): boolean {
  const isDeclared = occurrences.some(
    ({ role, instruction }) => role === 'definition' && instruction.kind === 'ARG',
  );
  return kind === 'variable' && isDeclared && predefinedEntry(name) !== undefined;
}

/** The first place that reads or sets a variable which the file does not define; undefined: there is none. */
function useOf(file: Dockerfile, name: string): number | undefined {
  for (const outer of file.instructions) {
    const instruction = heldBy(outer);
    if (instruction === undefined) continue;
    const isNamed = holds(variablesOf(instruction, file), name);
    const mounts = instruction.kind === 'RUN' ? instruction.mounts : [];
    if (isNamed || mounts.some(({ env }) => env?.text === name)) return instruction.range.start;
  }
  for (const { script, instruction } of scriptsIn(file)) {
    if (script !== undefined && isInScript(script, name)) return instruction.range.start;
  }
  return undefined;
}

function holds(references: readonly VariableReference[], name: string): boolean {
  return references.some((one) => one.name === name || holds(one.inner, name));
}

function isInScript(script: ShellScript, name: string): boolean {
  let found = false;
  visitShell(script, {
    command: (command) => {
      if (command.kind === 'simple')
        found ||= command.assignments.some((assignment) => assignment.name === name);
      else if (command.kind === 'for' || command.kind === 'select')
        found ||= command.variable?.text === name;
    },
    part: (part) => {
      if (part.kind === 'parameter') found ||= part.name === name;
      else if (part.kind === 'arithmetic')
        found ||= part.tokens.some(({ kind, text }) => kind === 'name' && text === name);
    },
  });
  return found;
}

function lineAt({ lines }: Dockerfile, offset: number): number {
  return lines.position(offset).line + 1;
}

function stageObjection(file: Dockerfile, named: Named, name: string): string | undefined {
  const { stages } = file;
  const lower = name.toLowerCase();
  if (!/^[a-z][a-z0-9-_.]*$/.test(lower))
    return `'${name}' is no name of a stage: a letter, then letters, digits, '-', '_' and '.'`;
  if (lower === 'scratch' || lower === 'context') return `'${name}' is reserved`;
  const other = stages.find((stage) => stage.name === lower && stage !== named.stage);
  if (other !== undefined) return `stage ${String(other.index)} is named '${lower}' already`;
  const image = imageNamed(file, named, lower);
  if (image !== undefined)
    return `line ${String(lineAt(file, image))} uses an image or a context '${name}', which the stage would hide`;
  const variable = stages.find(({ from, index }) => {
    if (!from.image.text.includes('$') || index <= (named.stage?.index ?? 0)) return false;
    const base = variablesIn(file).imageOf(from.image);
    return base === lower || base === named.name;
  });
  if (variable !== undefined)
    return `line ${String(lineAt(file, variable.from.range.start))} names it by a variable: change that first`;
  // FROM compares names as they are written, so it would no longer find the stage.
  const used = stages.some(({ from }) => from.image.text === named.name && from.image.text !== '');
  return used && name !== lower
    ? `'${name}' must be in lower case, since a FROM uses it`
    : undefined;
}

/** Where a name that is no stage yet is used behind the stage, or by a copy or mount anywhere. */
function imageNamed({ stages }: Dockerfile, named: Named, name: string): number | undefined {
  for (const stage of stages) {
    for (const { kind, word } of stageReferences(stage)) {
      const isOwn = named.occurrences.some(({ range }) => range.start === word.range.start);
      const isSame = kind === 'base' ? word.text === name : word.text.toLowerCase() === name;
      const isReached = kind !== 'base' || stage.index > (named.stage?.index ?? 0);
      if (isSame && isReached && !isOwn) return word.range.start;
    }
  }
  return undefined;
}

function heredocObjection(
  { text, lines }: Dockerfile,
  named: Named,
  name: string,
): string | undefined {
  if (!/^[A-Za-z_][\w.-]*$/.test(name))
    return `'${name}' is no name of a heredoc: a letter or underscore, then letters, digits, '_', '.' and '-'`;
  const [mark, end] = named.occurrences;
  if (mark === undefined || end === undefined) return undefined;
  const first = lines.position(mark.range.end).line + 1;
  const body = text.slice(
    lines.offset(first, 0),
    lines.offset(lines.position(end.range.start).line, 0),
  );
  const ends = body
    .split('\n')
    .some((line) => line.replace(/^\t+/, '').replace(/\r+$/, '') === name);
  return ends ? `a line of the heredoc holds only '${name}', which would end it` : undefined;
}

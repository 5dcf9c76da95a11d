/** Rename of stages, variables and heredocs. A new name that would change the file's meaning is refused with the reason. */
import type { Range, TextEdit } from 'vscode-languageserver/node';
import {
  type Named,
  type Occurrence,
  occurrenceAt,
} from '../../../src/lib/dockerfile/scope/names.ts';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import { namesIn } from '../../facts.ts';
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
  if (!occurrence.renamable) return 'the stage has no name here: give it one with FROM … AS name';
  if (occurrence.named.kind === 'heredoc' && occurrence.named.occurrences.length < 2)
    return `the heredoc ${occurrence.named.name} is not ended, so it cannot be renamed`;
  return occurrence;
}

function objection(file: Dockerfile, named: Named, name: string): string | undefined {
  if (named.kind === 'stage') return stageObjection(file, named, name);
  if (named.kind === 'heredoc') return heredocObjection(file, named, name);
  if (!/^[A-Za-z_]\w*$/.test(name))
    return `'${name}' is no name of a variable: letters, digits and underscores, no digit first`;
  const others = namesIn(file).occurrences.some(
    (one) => one.named.kind === 'variable' && one.named !== named && one.named.name === name,
  );
  return others ? `there is a variable ${name} in this file already` : undefined;
}

function stageObjection({ stages }: Dockerfile, named: Named, name: string): string | undefined {
  const lower = name.toLowerCase();
  if (!/^[a-z][a-z0-9-_.]*$/.test(lower))
    return `'${name}' is no name of a stage: a letter, then letters, digits, '-', '_' and '.'`;
  if (lower === 'scratch' || lower === 'context') return `'${name}' is reserved`;
  const other = stages.find((stage) => stage.name === lower && stage !== named.stage);
  if (other !== undefined) return `stage ${String(other.index)} is named '${lower}' already`;
  // FROM compares names as they are written, so it would no longer find the stage.
  const used = stages.some(({ from }) => from.image.text === named.name && from.image.text !== '');
  return used && name !== lower
    ? `'${name}' must be in lower case, since a FROM uses it`
    : undefined;
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

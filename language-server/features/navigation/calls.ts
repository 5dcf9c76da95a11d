/** The call hierarchy of stages: who builds on a stage or copies from it, and what it uses itself. */
import {
  type CallHierarchyIncomingCall,
  type CallHierarchyItem,
  type CallHierarchyOutgoingCall,
  type Range,
  SymbolKind,
} from 'vscode-languageserver/node';
import { occurrenceAt } from '../../../src/lib/dockerfile/scope/names.ts';
import { instructionAt } from '../../../src/lib/dockerfile/scope/places.ts';
import { StageGraph, stageReferences } from '../../../src/lib/dockerfile/stages.ts';
import type { Dockerfile, Stage } from '../../../src/lib/dockerfile/syntax.ts';
import { namesIn, variablesIn } from '../../facts.ts';
import { rangeAt } from '../positions.ts';
import type { Addressed } from './occurrences.ts';

/** The stage that is named at the offset, or whose FROM stands there. */
export function prepareCalls({ file, uri, offset }: Addressed): CallHierarchyItem[] {
  const named = occurrenceAt(namesIn(file), offset)?.named.stage;
  const instruction = instructionAt(file, offset);
  const stage = named ?? file.stages.find(({ from }) => from === instruction);
  return stage === undefined ? [] : [itemOf(file, uri, stage)];
}

/** The stages that use the item's stage, each with the places where it does. */
export function callsTo(file: Dockerfile, item: CallHierarchyItem): CallHierarchyIncomingCall[] {
  const target = stageOf(file, item);
  if (target === undefined) return [];
  return links(file)
    .filter(({ to }) => to === target)
    .map(({ from, ranges }) => ({ from: itemOf(file, item.uri, from), fromRanges: ranges }));
}

/** The stages that the item's stage uses. */
export function callsFrom(file: Dockerfile, item: CallHierarchyItem): CallHierarchyOutgoingCall[] {
  const source = stageOf(file, item);
  if (source === undefined) return [];
  return links(file)
    .filter(({ from }) => from === source)
    .map(({ to, ranges }) => ({ to: itemOf(file, item.uri, to), fromRanges: ranges }));
}

interface Link {
  readonly from: Stage;
  readonly to: Stage;
  readonly ranges: Range[];
}

function links(file: Dockerfile): Link[] {
  const graph = new StageGraph(file.stages);
  const variables = variablesIn(file);
  return file.stages.flatMap((stage) => {
    const found = new Map<Stage, Range[]>();
    for (const { kind, word } of stageReferences(stage)) {
      const name = kind === 'base' && word.text.includes('$') ? variables.imageOf(word) : word.text;
      const used = graph.resolve({ kind, name, at: stage });
      if (used === undefined) continue;
      const ranges = found.get(used) ?? [];
      ranges.push(rangeAt(file.lines, word.range));
      found.set(used, ranges);
    }
    return [...found].map(([to, ranges]) => ({ from: stage, to, ranges }));
  });
}

function itemOf(
  file: Dockerfile,
  uri: string,
  { index, from, name, range }: Stage,
): CallHierarchyItem {
  return {
    name: name ?? `stage ${String(index)}`,
    kind: SymbolKind.Module,
    detail: from.image.text,
    uri,
    range: rangeAt(file.lines, range),
    selectionRange: rangeAt(file.lines, from.name?.range ?? from.keyword.range),
    data: index,
  };
}

/** The item may be older than the text: it counts only when its stage still has that name. */
function stageOf(file: Dockerfile, { data, name }: CallHierarchyItem): Stage | undefined {
  const stage = typeof data === 'number' ? file.stages[data] : undefined;
  const current = stage === undefined ? undefined : (stage.name ?? `stage ${String(stage.index)}`);
  return current === name ? stage : file.stages.find((other) => other.name === name);
}

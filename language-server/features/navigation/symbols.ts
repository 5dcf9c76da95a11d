/** The outline of a Dockerfile: stages, and the instructions within them. */
import {
  type DocumentSymbol,
  type SymbolInformation,
  SymbolKind,
} from 'vscode-languageserver/node';
import type { Dockerfile, Instruction, Stage } from '../../../src/lib/dockerfile/syntax.ts';
import { rangeAt } from '../positions.ts';

/** An outline entry's text is cut here. */
const DETAIL_LENGTH = 80;

/** Global arguments first, then each stage with its instructions. */
export function symbolsOf(file: Dockerfile): DocumentSymbol[] {
  return [
    ...beforeStages(file).map((instruction) => instructionSymbol(file, instruction)),
    ...file.stages.map((stage) => ({
      ...stageSymbol(file, stage),
      children: stage.instructions.map((instruction) => instructionSymbol(file, instruction)),
    })),
  ];
}

/** The same as a list, for clients that take no tree: an instruction names its stage. */
export function flatSymbolsOf(file: Dockerfile, uri: string): SymbolInformation[] {
  const flat = ({ name, kind, range }: DocumentSymbol): SymbolInformation => ({
    name,
    kind,
    location: { uri, range },
  });
  return symbolsOf(file).flatMap((symbol) => [
    flat(symbol),
    ...(symbol.children ?? []).map((child) => ({ ...flat(child), containerName: symbol.name })),
  ]);
}

export function beforeStages({ instructions, stages: [first] }: Dockerfile): Instruction[] {
  return instructions.filter(({ range }) => first === undefined || range.start < first.range.start);
}

/** A stage by itself. */
export function stageSymbol(file: Dockerfile, stage: Stage): DocumentSymbol {
  const { from, name, index, range } = stage;
  return {
    name: name ?? `stage ${String(index)}`,
    detail: from.image.text,
    kind: SymbolKind.Module,
    range: rangeAt(file.lines, range),
    selectionRange: rangeAt(file.lines, from.name?.range ?? from.keyword.range),
  };
}

export function instructionSymbol(file: Dockerfile, instruction: Instruction): DocumentSymbol {
  const { keyword, argument, range } = instruction;
  const text = inOneLine(argument.text.slice(0, DETAIL_LENGTH));
  return {
    name: keyword.text === '' ? '\\' : keyword.text.toUpperCase(),
    detail: argument.text.length > DETAIL_LENGTH ? `${text}…` : text,
    kind: kindOf(instruction),
    range: rangeAt(file.lines, range),
    selectionRange: rangeAt(file.lines, keyword.range),
  };
}

function inOneLine(text: string): string {
  return /\s\s|[\t\r\n]/.test(text) ? text.replaceAll(/\s+/g, ' ') : text;
}

function kindOf({ kind }: Instruction): SymbolKind {
  if (kind === 'ARG' || kind === 'ENV') return SymbolKind.Variable;
  if (kind === 'LABEL') return SymbolKind.Property;
  if (kind === 'EXPOSE' || kind === 'VOLUME') return SymbolKind.Interface;
  if (kind === 'COPY' || kind === 'ADD') return SymbolKind.File;
  return SymbolKind.Function;
}

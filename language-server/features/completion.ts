/** Completes instruction keywords where an instruction begins, and the names of an instruction's flags. */
import {
  type CompletionItem,
  CompletionItemKind,
  CompletionItemTag,
} from 'vscode-languageserver/node';
import { flagTable } from '../../src/lib/dockerfile/flags.ts';
import { INSTRUCTION_KINDS } from '../../src/lib/dockerfile/statement.ts';
import type { Dockerfile, Instruction, InstructionKind } from '../../src/lib/dockerfile/syntax.ts';
import { rangeAt } from './positions.ts';

const DETAILS: Readonly<Record<InstructionKind, string>> = {
  ADD: 'adds local or remote files and directories',
  ARG: 'declares a build-time variable',
  CMD: 'sets the default command',
  COPY: 'copies files and directories',
  ENTRYPOINT: 'sets the default executable',
  ENV: 'sets environment variables',
  EXPOSE: 'says which ports the application listens on',
  FROM: 'begins a build stage from a base image',
  HEALTHCHECK: "checks a container's health on start-up and after",
  LABEL: 'adds metadata to the image',
  MAINTAINER: 'names the author (deprecated: use LABEL)',
  ONBUILD: 'adds an instruction for builds that use this image as their base',
  RUN: 'runs a command in a new layer',
  SHELL: 'sets the shell of commands in shell form',
  STOPSIGNAL: 'sets the signal that stops a container',
  USER: 'sets the user and the group',
  VOLUME: 'makes mount points',
  WORKDIR: 'changes the working directory',
};

/** The items for a position; none within arguments, comments and heredocs. */
export function completionsAt(file: Dockerfile, offset: number): CompletionItem[] {
  const inComment = file.comments.some(({ range }) => range.start < offset && offset <= range.end);
  if (inComment) return [];
  const instruction = instructionAt(file.instructions, offset);
  if (instruction === undefined)
    return keywords(file, { start: offset, end: offset, lower: isLower(file) });
  return within(file, instruction, offset);
}

function within(file: Dockerfile, instruction: Instruction, offset: number): CompletionItem[] {
  const { keyword } = instruction;
  if (offset <= keyword.range.end) {
    const { start, end } = keyword.range;
    if (offset < start) return [];
    const lower = keyword.text === '' ? isLower(file) : keyword.text === keyword.text.toLowerCase();
    return keywords(file, { start, end, lower });
  }
  if (instruction.kind === 'ONBUILD') {
    if (instruction.instruction !== undefined) return within(file, instruction.instruction, offset);
    const bare = instruction.argument.text === '';
    return bare
      ? keywords(file, { start: offset, end: offset, lower: isLower(file), within: 'ONBUILD' })
      : [];
  }
  return instruction.kind === 'UNKNOWN' ? [] : flags(file, instruction, offset);
}

/** The instruction that the offset touches: on its lines, or at their end. */
function instructionAt(
  instructions: readonly Instruction[],
  offset: number,
): Instruction | undefined {
  let low = 0;
  let high = instructions.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = instructions[middle]?.range;
    if (range === undefined) return undefined;
    if (offset < range.start) high = middle - 1;
    else if (offset > range.end) low = middle + 1;
    else return instructions[middle];
  }
  return undefined;
}

interface KeywordPlace {
  readonly start: number;
  readonly end: number;
  readonly lower: boolean;
  readonly within?: 'ONBUILD';
}

function keywords(file: Dockerfile, place: KeywordPlace): CompletionItem[] {
  const first = file.stages[0]?.range.start;
  const atTop = place.within === undefined && (first === undefined || place.start < first);
  const allowed = INSTRUCTION_KINDS.filter((kind) => {
    if (place.within === 'ONBUILD')
      return kind !== 'ONBUILD' && kind !== 'FROM' && kind !== 'MAINTAINER';
    return !atTop || kind === 'ARG' || kind === 'FROM';
  });
  const range = rangeAt(file.lines, place);
  return allowed.map((kind) => {
    const label = place.lower ? kind.toLowerCase() : kind;
    const tags: Pick<CompletionItem, 'tags'> =
      kind === 'MAINTAINER' ? { tags: [CompletionItemTag.Deprecated] } : {};
    return {
      label,
      kind: CompletionItemKind.Keyword,
      detail: DETAILS[kind],
      textEdit: { range, newText: `${label} ` },
      ...tags,
    };
  });
}

/** Flags where one begins with dashes before the argument; those that are there already and take one value are left out. */
function flags(file: Dockerfile, instruction: Instruction, offset: number): CompletionItem[] {
  if (instruction.kind === 'UNKNOWN') return [];
  const table = flagTable(instruction.kind);
  const typed = instruction.flags.find(
    ({ nameRange }) => offset > nameRange.start && offset <= nameRange.end,
  );
  const line = file.text.slice(Math.max(0, offset - 3), offset);
  const reach = Math.max(instruction.argument.range.start, instruction.keyword.range.end + 1) + 2;
  const begins = /\s--?$/.test(line) && offset <= reach;
  if (typed === undefined && !begins) return [];
  const dashes = /-{0,2}$/.exec(line)?.[0].length ?? 0;
  const place = typed?.nameRange ?? { start: offset - dashes, end: offset };
  const used = new Set(instruction.flags.filter((flag) => flag !== typed).map(({ name }) => name));
  const range = rangeAt(file.lines, place);
  return Object.entries(table)
    .filter(([name, type]) => type === 'strings' || !used.has(name))
    .map(([name, type]) => ({
      label: `--${name}`,
      kind: CompletionItemKind.Property,
      filterText: `--${name}`,
      textEdit: { range, newText: type === 'boolean' ? `--${name}` : `--${name}=` },
    }));
}

/** The file's own habit, by its first instruction. */
function isLower({ instructions }: Dockerfile): boolean {
  const text = instructions[0]?.keyword.text ?? '';
  return text !== '' && text === text.toLowerCase();
}

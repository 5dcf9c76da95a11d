/** Finds the semantic tokens of a file or of a part of it: Dockerfile words from the tree, shell words from its readings. */
import { heldBy } from '../../../src/lib/dockerfile/scope/places.ts';
import type { ScriptUse } from '../../../src/lib/dockerfile/shell/scripts.ts';
import type {
  Command,
  Directive,
  Dockerfile,
  Flag,
  FromInstruction,
  Instruction,
  Mount,
  Range,
  Word,
} from '../../../src/lib/dockerfile/syntax.ts';
import { type VariableReference, variablesOf } from '../../../src/lib/dockerfile/tree/variables.ts';
import type { Token, TokenModifier, TokenType } from './legend.ts';
import { shellTokens } from './shell.ts';

export type Add = (range: Range, type: TokenType, modifier?: TokenModifier) => void;

/** The tokens that touch `part`, in no order. */
export function collectTokens(
  file: Dockerfile,
  scripts: readonly ScriptUse[],
  part: Range = { start: 0, end: file.text.length },
): Token[] {
  const tokens: Token[] = [];
  const add: Add = ({ start, end }, type, modifier) => {
    if (end > start)
      tokens.push(modifier === undefined ? { start, end, type } : { start, end, type, modifier });
  };
  const isIn = ({ start, end }: Range): boolean => start < part.end && end > part.start;
  const { syntax, escape, check } = file.directives;
  for (const directive of [syntax, escape, check]) {
    if (directive !== undefined && isIn(directive.range)) directiveTokens(directive, add);
  }
  for (const { range } of file.comments) if (isIn(range)) add(range, 'comment');
  for (const instruction of file.instructions) {
    if (isIn(instruction.range)) instructionTokens(file, instruction, add);
  }
  for (const use of scripts) {
    if (use.script !== undefined && isIn(use.instruction.range)) shellTokens(use.script, add);
  }
  return tokens;
}

function directiveTokens({ range, valueRange }: Directive, add: Add): void {
  add(range, 'comment');
  const start = range.start + 1;
  add({ start, end: valueRange.start - 1 }, 'macro');
  add(valueRange, 'string');
}

function instructionTokens(file: Dockerfile, instruction: Instruction, add: Add): void {
  const { keyword, kind } = instruction;
  if (kind === 'UNKNOWN') return;
  if (kind === 'MAINTAINER') add(keyword.range, 'keyword', 'deprecated');
  else add(keyword.range, 'keyword');
  flagTokens(instruction, add);
  const inner = heldBy(instruction);
  if (inner !== undefined && inner !== instruction) {
    instructionTokens(file, inner, add);
    return;
  }
  argumentTokens(file, instruction, add);
  variableTokens(variablesOf(instruction, file), add);
  if (!('heredocs' in instruction)) return;
  for (const { range, contentRange, name } of instruction.heredocs) {
    add(range, 'macro');
    if (kind !== 'RUN') add(contentRange, 'string');
    const end = file.text.indexOf('\n', contentRange.end);
    const closing = { start: contentRange.end, end: end < 0 ? file.text.length : end };
    const isClosed =
      contentRange.end > range.end && file.text.slice(closing.start, closing.end).trim() === name;
    if (isClosed) add(closing, 'macro');
  }
}

function flagTokens(instruction: Instruction, add: Add): void {
  for (const flag of instruction.flags) {
    add(flag.nameRange, 'parameter');
    if (flag.value === undefined || (instruction.kind === 'RUN' && flag.name === 'mount')) continue;
    add(flag.value.range, flagValueType(flag));
  }
  if (instruction.kind === 'RUN') for (const mount of instruction.mounts) mountTokens(mount, add);
}

function flagValueType({ name, value }: Flag): TokenType {
  if (name === 'from') return 'namespace';
  return value !== undefined && /^\d+$/.test(value.text) ? 'number' : 'string';
}

function mountTokens({ options }: Mount, add: Add): void {
  for (const { key, keyRange, value } of options) {
    add(keyRange, 'property');
    if (value !== undefined) add(value.range, key === 'from' ? 'namespace' : 'string');
  }
}

function argumentTokens(file: Dockerfile, instruction: Instruction, add: Add): void {
  switch (instruction.kind) {
    case 'FROM': {
      fromTokens(file, instruction, add);
      return;
    }
    case 'COPY':
    case 'ADD': {
      stringTokens(instruction.sources, add);
      add(instruction.dest.range, 'string');
      return;
    }
    case 'ENV':
    case 'ARG':
    case 'LABEL':
      for (const { name, value } of instruction.pairs) {
        add(name.range, instruction.kind === 'LABEL' ? 'property' : 'variable', 'declaration');
        if (value !== undefined) add(value.range, 'string');
      }
      return;
    case 'EXPOSE':
      for (const { range } of instruction.words) add(range, 'number');
      return;
    case 'VOLUME':
    case 'SHELL': {
      stringTokens(instruction.words, add);
      return;
    }
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
    case 'MAINTAINER': {
      add(instruction.value.range, 'string');
      return;
    }
    case 'HEALTHCHECK': {
      const word = /^\S+/.exec(instruction.argument.text)?.[0].length ?? 0;
      const { start } = instruction.argument.range;
      add({ start, end: start + word }, 'keyword');
      execTokens(instruction.command, add);
      return;
    }
    case 'RUN':
    case 'CMD':
    case 'ENTRYPOINT': {
      execTokens(instruction.command, add);
      return;
    }
    default:
  }
}

function execTokens(command: Command | undefined, add: Add): void {
  if (command?.form === 'exec') stringTokens(command.words, add);
}

function stringTokens(words: readonly Word[], add: Add): void {
  for (const { range } of words) add(range, 'string');
}

function fromTokens({ text }: Dockerfile, { image, name }: FromInstruction, add: Add): void {
  add(image.range, 'class');
  if (name === undefined) return;
  const between = text.slice(image.range.end, name.range.start);
  const as = /\bas\b/i.exec(between);
  if (as !== null) {
    const start = image.range.end + as.index;
    add({ start, end: start + as[0].length }, 'keyword');
  }
  add(name.range, 'namespace', 'declaration');
}

function variableTokens(references: readonly VariableReference[], add: Add): void {
  for (const { range, nameRange, braced, modifierRange, inner } of references) {
    add(braced ? nameRange : range, 'variable');
    if (modifierRange !== undefined) add(modifierRange, 'operator');
    variableTokens(inner, add);
  }
}

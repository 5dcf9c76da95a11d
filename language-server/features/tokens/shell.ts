/** The semantic tokens of a shell text: commands, options, variables, quotes, operators, keywords and comments. */
import type {
  Command,
  ShellScript,
  ShellWord,
  WordPart,
} from '../../../src/lib/dockerfile/shell/syntax.ts';
import { visitShell } from '../../../src/lib/dockerfile/shell/walk.ts';
import type { Add } from './collect.ts';

export function shellTokens(script: ShellScript, add: Add): void {
  for (const { kind, range } of script.marks) add(range, kind);
  visitShell(script, {
    command: (command) => commandTokens(command, add),
    part: (part) => partTokens(part, add),
  });
}

function commandTokens(command: Command, add: Add): void {
  for (const { operatorRange, heredoc } of command.redirects) {
    add(operatorRange, 'operator');
    if (heredoc !== undefined) {
      add(heredoc.bodyRange, 'string');
      if (heredoc.endRange !== undefined) add(heredoc.endRange, 'macro');
    }
  }
  if (command.kind === 'simple') {
    for (const { nameRange } of command.assignments) add(nameRange, 'variable', 'declaration');
    if (command.name !== undefined) add(command.name.range, 'function');
    for (const word of command.arguments) if (isOption(word)) add(word.range, 'parameter');
  } else if (command.kind === 'function') {
    if (command.name !== undefined) add(command.name.range, 'function', 'declaration');
  } else if (command.kind === 'for' || command.kind === 'select') {
    if (command.variable !== undefined) add(command.variable.range, 'variable', 'declaration');
  }
}

function isOption({ text }: ShellWord): boolean {
  return text.length > 1 && text.charCodeAt(0) === 0x2d;
}

function partTokens(part: WordPart, add: Add): void {
  if (part.kind === 'single' || part.kind === 'ansi' || part.kind === 'double') {
    add(part.range, 'string');
  } else if (part.kind === 'parameter') {
    if (part.braced) add(part.nameRange, 'variable');
    else add(part.range, 'variable');
  } else if (part.kind === 'arithmetic') {
    for (const { kind, range } of part.tokens)
      if (kind !== 'expansion') add(range, kind === 'name' ? 'variable' : kind);
  }
}

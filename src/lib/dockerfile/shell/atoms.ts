/** Cuts a shell reading into its outermost pieces in the order of the text: whole words, operators, keywords, comments. */
import type { Range, ShellScript, SimpleCommand } from './syntax.ts';
import { visitShell } from './walk.ts';

export type ShellAtomKind =
  'word' | 'assignment' | 'operator' | 'keyword' | 'comment' | 'redirect' | 'heredoc';

/** What lies between two atoms is white space only. A heredoc is one atom: its body and the line that ends it. */
export interface ShellAtom {
  readonly kind: ShellAtomKind;
  /** As the shell sees it: continuations of the Dockerfile taken out. */
  readonly text: string;
  readonly range: Range;
}

export interface ShellAtoms {
  readonly atoms: readonly ShellAtom[];
  readonly commands: readonly SimpleCommand[];
}

/** The atoms of a script, and its simple commands outside of words. */
export function atomsOf(script: ShellScript): ShellAtoms {
  const found: ShellAtom[] = [];
  const commands: SimpleCommand[] = [];
  for (const { kind, text, range } of script.marks) found.push({ kind, text, range });
  visitShell(script, {
    command: (command) => {
      if (command.kind === 'arithmetic-command') {
        const { text, range } = command.expression;
        found.push({ kind: 'word', text, range });
      } else if ('header' in command && command.header !== undefined) {
        found.push({ kind: 'word', text: command.header.text, range: command.header.range });
      }
      if (command.kind !== 'simple') return;
      commands.push(command);
      for (const { name, index, append, value, range } of command.assignments) {
        const text = `${name}${index === undefined ? '' : `[${index}]`}${append ? '+' : ''}=${value.text}`;
        found.push({ kind: 'assignment', text, range });
      }
    },
    word: ({ text, range }) => {
      if (text !== '') found.push({ kind: 'word', text, range });
    },
    redirect: ({ operator, operatorRange, descriptor, heredoc, range }) => {
      const text = descriptor + operator;
      found.push({ kind: 'redirect', text, range: { start: range.start, end: operatorRange.end } });
      if (heredoc === undefined) return;
      const { start, end } = heredoc.bodyRange;
      const whole = { start, end: Math.max(end, heredoc.endRange?.end ?? end) };
      if (whole.end > start) found.push({ kind: 'heredoc', text: heredoc.text, range: whole });
    },
  });
  return { atoms: outermost(found), commands };
}

/** In order, without those that lie within others. */
function outermost(found: ShellAtom[]): readonly ShellAtom[] {
  found.sort((a, b) => a.range.start - b.range.start || b.range.end - a.range.end);
  let end = -1;
  return found.filter(({ range }) => {
    if (range.start < end) return false;
    end = range.end;
    return true;
  });
}

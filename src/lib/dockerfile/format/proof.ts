/**
 * The formatter's proof, for one instruction or the head of a file: before and after its edits it means the same, and
 * ends where it ended. It knows nothing of how the edits were made.
 */
import { parseDockerfile } from '../parse.ts';
import { DEFAULT_SHELL, type ShellInForce } from '../shell/shells.ts';
import type { Escape } from '../syntax.ts';
import type { TextEdit } from '../tree/document.ts';
import { sameMeaning } from './meaning.ts';

/** A text with edits applied that are in order and apart. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { range, text: put } of edits) {
    parts.push(text.slice(at, range.start), put);
    at = range.end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}

/** The edits of a whole text keep its meaning. */
export function keepsMeaning(text: string, edits: readonly TextEdit[]): boolean {
  const after = applyEdits(text, edits);
  return sameMeaning(parseDockerfile(text), parseDockerfile(after));
}

export interface Surroundings {
  readonly escape: Escape;
  /** Undefined before the first FROM. */
  readonly shell: ShellInForce | undefined;
}

/** The edits of an instruction's lines keep its meaning, and what follows them is left alone. */
export function keepsInstruction(
  lines: string,
  edits: readonly TextEdit[],
  surroundings: Surroundings,
): boolean {
  const head = headFor(surroundings);
  // An instruction that ends in the middle of something would take in the one below.
  const sound = (text: string) => parseDockerfile(`${head}${endLine(text)}ARG after\n`);
  return sameMeaning(sound(lines), sound(applyEdits(lines, edits)));
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function headFor({ escape, shell }: Surroundings): string {
  const directive = escape === '`' ? '# escape=`\n' : '';
  if (shell === undefined) return directive;
  const own = shell === DEFAULT_SHELL ? '' : `SHELL ${JSON.stringify(shell.words)}\n`;
  return `${directive}FROM scratch\n${own}`;
}

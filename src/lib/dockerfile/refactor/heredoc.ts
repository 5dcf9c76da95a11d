/**
 * Writes a RUN's command line as a heredoc and back. The commands stay the same word for word, which is checked on what
 * is written: a change that the shell would read in another way is not offered.
 */
import { lineBreak, replace } from '../lint/edits.ts';
import { parseDockerfile } from '../parse.ts';
import { atomsOf } from '../shell/atoms.ts';
import { scriptsOf } from '../shell/scripts.ts';
import type { SequenceItem, ShellScript } from '../shell/syntax.ts';
import type { Dockerfile, Range, RunInstruction } from '../syntax.ts';
import { isPlain, partsOf } from './lists.ts';
import {
  commentsIn,
  continuation,
  headOf,
  isPlainRun,
  onlyInstruction,
  scriptFor,
} from './place.ts';
import type { RefactorRequest, Refactoring } from './refactoring.ts';

const SET = 'set -e';

export function toHeredoc(request: RefactorRequest): readonly Refactoring[] {
  const run = onlyInstruction(request);
  if (!isPlainRun(run)) return [];
  const use = scriptFor(request, run);
  if (use === undefined || use.script.text.includes('\n')) return [];
  const { script, shell } = use;
  if (script.marks.some(({ kind }) => kind === 'comment')) return [];
  const { file } = request;
  const lines = linesOf(file, script, { errexit: shell.errexit, within: run.argument.range });
  if (lines === undefined || lines.length < 2) return [];
  let name = 'EOF';
  while (lines.some((line) => line.split('\n').some((each) => each.trim() === name))) name += '_';
  const newline = lineBreak(file);
  const body = [...lines, name].join('\n').replaceAll(/\r?\n/g, newline);
  const text = `${headOf(file, run)}<<${name}${newline}${body}`;
  if (!says(file, { run, text, shell: shell.words }, wordsOf(script))) return [];
  return [{ title: 'Change to a heredoc', kind: 'rewrite', edits: [replace(run.range, text)] }];
}

/** The lines of a script of the same commands. */
function linesOf(
  file: Dockerfile,
  script: ShellScript,
  { errexit, within }: { errexit: boolean; within: Range },
): readonly string[] | undefined {
  const { items } = script.body;
  const [only] = items;
  if (only === undefined) return undefined;
  const comments = file.comments.filter(({ range }) => contains(within, range));
  let from = 0;
  /** With the comments that stand before it or in it. */
  const withComments = (text: string, { end }: Range): string => {
    const here = comments.filter(({ range }) => range.start >= from && range.start < end);
    from = end;
    return [...here.map((comment) => comment.text), text].join('\n');
  };
  const parts = items.length === 1 && only.terminator !== '&' ? partsOf(only.node) : undefined;
  if (parts !== undefined && parts.length > 1) {
    const pieces = parts.map(({ range }) => ({ range, text: pieceText(file, range, script) }));
    const isJoined = !parts.every(isPlain);
    const texts = pieces.map(({ range, text }, index) =>
      // Where `set -e` would see more than `&&` does, the operators stay.
      withComments(isJoined && index < pieces.length - 1 ? `${text} &&` : text, range),
    );
    return isJoined || errexit ? texts : [SET, ...texts];
  }
  return items.map(({ node, terminator }) => {
    const text = pieceText(file, node.range, script);
    return withComments(terminator === '&' ? `${text} &` : text, node.range);
  });
}

/** As it is written where the shell reads continued lines as the builder does, else joined. */
function pieceText({ text, directives }: Dockerfile, range: Range, script: ShellScript): string {
  const written = text.slice(range.start, range.end);
  const joined = joinedText(range, script);
  if (!written.includes('\n')) return written;
  const blank = /\n[ \t]*(?:#[^\n]*)?\r?(?=\n)|\n[ \t]*#|\\[ \t]+\r?\n/.test(written);
  return blank || directives.escapeCharacter !== '\\' || /['"]/.test(written) ? joined : written;
}

/** The words and operators of a range, each as the shell sees it. */
function joinedText(range: Range, script: ShellScript): string {
  let text = '';
  let end = range.start;
  for (const atom of atomsOf(script).atoms) {
    if (atom.range.start < range.start || atom.range.end > range.end) continue;
    text += text === '' || atom.range.start === end ? atom.text : ` ${atom.text}`;
    ({ end } = atom.range);
  }
  return text;
}

export function fromHeredoc(request: RefactorRequest): readonly Refactoring[] {
  const run = onlyInstruction(request);
  const heredoc = run?.kind === 'RUN' && run.heredocs.length === 1 ? run.heredocs[0] : undefined;
  if (run?.kind !== 'RUN' || heredoc === undefined) return [];
  const use = scriptFor(request, run);
  const { file } = request;
  if (use?.form !== 'heredoc' || heredoc.content.startsWith('#!')) return [];
  const { script, shell } = use;
  const items = script.body.items.filter(({ node }) => node.range.end > node.range.start);
  const pieces = items.map(({ node }) => file.text.slice(node.range.start, node.range.end));
  if (pieces.length === 0 || pieces.some((piece) => !isOneLine(piece, file))) return [];
  const inside = script.marks.some(
    ({ kind, range }) =>
      kind === 'comment' && items.some(({ node }) => contains(node.range, range)),
  );
  if (inside) return [];
  const text = headOf(file, run) + lineText(file, items, { pieces, heredoc: heredoc.contentRange });
  const expected = wordsOf(script);
  if (!says(file, { run, text, shell: shell.words }, expected)) return [];
  return [
    { title: 'Change to a command line', kind: 'rewrite', edits: [replace(run.range, text)] },
  ];
}

function contains(outer: Range, inner: Range): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

/** Its line breaks are continuations. */
function isOneLine(piece: string, { directives }: Dockerfile): boolean {
  if (!piece.includes('\n')) return true;
  return directives.escapeCharacter === '\\' && piece.replaceAll(/\\\r?\n/g, '').indexOf('\n') < 0;
}

function lineText(
  file: Dockerfile,
  items: readonly SequenceItem[],
  { pieces, heredoc }: { pieces: readonly string[]; heredoc: Range },
): string {
  const [first, ...rest] = items;
  const plain = rest.every(({ node, terminator }) => {
    const parts = partsOf(node);
    return terminator !== '&' && parts?.length === 1 && parts.every(isPlain);
  });
  const dropped = pieces[0] === SET && plain && rest.length > 0 && first !== undefined;
  const kept = dropped ? 1 : 0;
  let text = '';
  let end = heredoc.start;
  for (const [index, { node, terminator }] of items.entries()) {
    const comments = commentsIn(file.text.slice(end, node.range.start));
    ({ end } = node.range);
    if (index < kept) continue;
    const separator = dropped ? '' : items[index - 1]?.terminator === '&' ? '' : ';';
    if (index > kept) text += separator + continuation(file);
    if (index > kept)
      text += comments.map((line) => `    ${line}${lineBreak(file)}`).join('') + '    ';
    if (index > kept && dropped) text += '&& ';
    text += pieces[index] ?? '';
    if (terminator === '&') text += ' &';
  }
  return text;
}

/** The words, assignments and redirections of a script; `set -e` at its head and what separates commands do not count. */
function wordsOf(script: ShellScript): string {
  const words = atomsOf(script)
    .atoms.filter(({ kind, text }) => kind !== 'comment' && !isSeparator(kind, text))
    .map(({ text }) => text);
  return JSON.stringify(words[0] === 'set' && words[1] === '-e' ? words.slice(2) : words);
}

function isSeparator(kind: string, text: string): boolean {
  return kind === 'operator' && (text === '&&' || text === ';' || text === '\n');
}

/** The instruction, as it would stand in the file, is one RUN whose shell reads these words. */
function says(
  file: Dockerfile,
  { run, text, shell }: { run: RunInstruction; text: string; shell: readonly string[] },
  words: string,
): boolean {
  const head = `# escape=${file.directives.escapeCharacter}\nFROM a\nSHELL ${JSON.stringify(shell)}\n`;
  const probe = parseDockerfile(`${head}${text}\n`);
  const found = probe.instructions[2];
  if (probe.instructions.length !== 3 || found?.kind !== 'RUN') return false;
  if (probe.problems.some(({ severity }) => severity === 'error')) return false;
  if (found.flags.length !== run.flags.length) return false;
  const script = scriptsOf(probe)[0]?.script;
  return script !== undefined && script.problems.length === 0 && wordsOf(script) === words;
}

/**
 * Keeps the open documents' parsed trees: each version is parsed once, however many requests ask for it, and after an
 * edit only the instructions that it touched are read again.
 */
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { parseDockerignore } from '../src/lib/dockerfile/dockerignore.ts';
import { parseDockerfile } from '../src/lib/dockerfile/parse.ts';
import type { Dockerfile, Problem } from '../src/lib/dockerfile/syntax.ts';
import { DockerfileDocument, type TextEdit } from '../src/lib/dockerfile/tree/document.ts';

interface Parsed {
  version: number;
  file: Dockerfile;
  /** Milliseconds that the parsing took. */
  took: number;
  /** Made by the first edit. */
  edited: DockerfileDocument | undefined;
  /** Edits since `file`, each in the text that the one before left; undefined: the whole text was replaced. */
  pending: TextEdit[] | undefined;
}

/** With more edits at once a whole parse is cheaper. */
const PENDING_LIMIT = 8;

const parsed = new WeakMap<TextDocument, Parsed>();

/** True for the languages that hold ignore patterns rather than instructions. */
export function isIgnoreFile({ languageId, uri }: TextDocument): boolean {
  return languageId === 'dockerignore' || languageId === 'ignore' || uri.endsWith('.dockerignore');
}

/** The document's tree. */
export function treeOf(document: TextDocument): Dockerfile {
  return parse(document).file;
}

/** The document's problems. */
export function problemsOf(document: TextDocument): readonly Problem[] {
  if (isIgnoreFile(document)) return parseDockerignore(document.getText()).problems;
  return treeOf(document).problems;
}

/** How long the last parsing took, so that big files are not parsed at every keystroke. */
export function costOf(document: TextDocument): number {
  return parsed.get(document)?.took ?? 0;
}

/** To be told of every change before it is applied: an edit, or undefined for a new text. */
export function noteEdit(document: TextDocument, edit: TextEdit | undefined): void {
  const known = parsed.get(document);
  if (known?.pending === undefined) return;
  if (edit === undefined || known.pending.length >= PENDING_LIMIT) known.pending = undefined;
  else known.pending.push(edit);
}

function parse(document: TextDocument): Parsed {
  const known = parsed.get(document);
  if (known?.version === document.version) return known;
  const started = performance.now();
  const fresh = known === undefined ? undefined : reparse(document, known);
  const result: Parsed = fresh ?? {
    version: document.version,
    file: parseDockerfile(document.getText()),
    took: 0,
    edited: undefined,
    pending: [],
  };
  result.took = performance.now() - started;
  parsed.set(document, result);
  return result;
}

/** The tree by its edits; undefined when they are not known, or do not lead to the document's text. */
function reparse(document: TextDocument, known: Parsed): Parsed | undefined {
  const { pending } = known;
  if (pending === undefined || pending.length === 0) return undefined;
  const edited = known.edited ?? new DockerfileDocument(known.file.text);
  for (const edit of pending) edited.edit(edit);
  const { file } = edited;
  if (file.text !== document.getText()) return undefined;
  return { version: document.version, file, took: 0, edited, pending: [] };
}

/**
 * Keeps the open documents' parsed trees: each version is parsed once, however many requests ask for it, and after an
 * edit only the instructions that it touched are read again.
 */
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { parseDockerignore } from '../src/lib/dockerfile/dockerignore.ts';
import type { Dockerfile, Problem } from '../src/lib/dockerfile/syntax.ts';
import { DockerfileDocument, type TextEdit } from '../src/lib/dockerfile/tree/document.ts';

interface Parsed {
  version: number;
  readonly tree: DockerfileDocument;
  /** Milliseconds that the parsing took. */
  took: number;
  /** Edits since the tree, each in the text that the one before left; undefined: the whole text was replaced. */
  pending: TextEdit[] | undefined;
}

/** With more edits at once a whole parse is cheaper. */
const PENDING_LIMIT = 8;

const parsed = new WeakMap<TextDocument, Parsed>();

/** True for the languages that hold ignore patterns rather than instructions. */
export function isIgnoreFile({ languageId, uri }: TextDocument): boolean {
  const isNamed = uri.endsWith('.dockerignore') || uri.endsWith('.containerignore');
  return languageId === 'dockerignore' || languageId === 'ignore' || isNamed;
}

/** The document's tree. */
export function treeOf(document: TextDocument): Dockerfile {
  return parse(document).tree.file;
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

/** To be told when a document is closed: its tree goes at once. */
export function forgetTree(document: TextDocument): void {
  parsed.delete(document);
}

function parse(document: TextDocument): Parsed {
  const known = parsed.get(document);
  const { version } = document;
  if (known?.version === version) return known;
  const started = performance.now();
  if (known === undefined) {
    const tree = new DockerfileDocument(document.getText());
    const made = { version, tree, took: performance.now() - started, pending: [] };
    parsed.set(document, made);
    return made;
  }
  catchUp(document, known);
  known.version = version;
  known.pending = [];
  known.took = performance.now() - started;
  return known;
}

/** Brings the tree to the document's text: by its edits, or whole when they are not known or do not lead there. */
function catchUp(document: TextDocument, { tree, pending }: Parsed): void {
  for (const edit of pending ?? []) tree.edit(edit);
  const text = document.getText();
  if (tree.file.text !== text) tree.replace(text);
}

/** Keeps the open documents' parsed trees: each version is parsed once, however many requests ask for it. */
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { parseDockerignore } from '../src/lib/dockerfile/dockerignore.ts';
import { parseDockerfile } from '../src/lib/dockerfile/parse.ts';
import type { Dockerfile, Problem } from '../src/lib/dockerfile/syntax.ts';

interface Parsed {
  readonly version: number;
  readonly file: Dockerfile;
  /** Milliseconds that the parsing took. */
  readonly took: number;
}

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

function parse(document: TextDocument): Parsed {
  const known = parsed.get(document);
  if (known?.version === document.version) return known;
  const started = performance.now();
  const file = parseDockerfile(document.getText());
  const fresh = { version: document.version, file, took: performance.now() - started };
  parsed.set(document, fresh);
  return fresh;
}

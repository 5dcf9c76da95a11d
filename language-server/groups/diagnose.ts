/** All diagnostics of a document in the client's positions, whoever asks for them. It keeps and sends nothing. */
import { pathToFileURL } from 'node:url';
import type { Diagnostic } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { forgetTree, isIgnoreFile, problemsOf } from '../documents.ts';
import { LARGE } from '../facts.ts';
import { isConfiguration, problemsInText } from '../features/configuration/configuration.ts';
import { diagnosticsOf, findPages } from '../features/diagnostics.ts';
import type { Linter } from '../linting.ts';
import type { Session } from '../session.ts';

/** The longest that judging holds a request up, in milliseconds. */
export const SLICE = 1;

/** The rules' pages, found once from where the program lies. */
const PAGES = findPages(pathToFileURL(process.argv[1] ?? ''));

/** Ignore files, configurations and very large files have the parser's problems only. */
export function isJudged(document: TextDocument): boolean {
  if (isIgnoreFile(document) || isConfiguration(document.uri)) return false;
  return document.getText().length <= LARGE;
}

/** In the next turn of the loop, behind the message that is read in it: what has come in by then is answered first. */
export function soon(work: () => void): void {
  queueMicrotask(() => setImmediate(work));
}

/** All diagnostics of an open document. */
export function diagnose(session: Session, document: TextDocument): Diagnostic[] {
  if (isConfiguration(document.uri))
    return session.encode(document, problemsInText(document.getText()));
  if (!isJudged(document)) return session.encode(document, diagnosticsOf(problemsOf(document)));
  const problems = session.problemsOf(document);
  return session.encode(document, diagnosticsOf(problems, PAGES));
}

/**
 * The same of a Dockerfile that is not open, but for ShellCheck's own; what has come in is answered between slices.
 * Nothing is kept of it.
 */
export async function diagnoseClosed(
  session: Session,
  document: TextDocument,
  linter: Linter,
): Promise<Diagnostic[]> {
  try {
    if (!isJudged(document)) return session.encode(document, diagnosticsOf(problemsOf(document)));
    const { settings } = session.client;
    do await turn();
    while (linter.work(document, settings, SLICE) === 'more');
    return session.encode(document, diagnosticsOf(linter.problemsOf(document, settings), PAGES));
  } finally {
    linter.drop(document);
    forgetTree(document);
  }
}

/** Judges an open document in slices, until nothing is left, it has another version, or it is closed. */
export async function judgeOpen(session: Session, document: TextDocument): Promise<void> {
  const { documents, linter, client } = session;
  const { version, uri } = document;
  do {
    await turn();
    if (document.version !== version || documents.get(uri) !== document) return;
  } while (linter.work(document, client.settings, SLICE) === 'more');
}

/** Others have theirs. */
export function turn(): Promise<void> {
  return new Promise((resolve) => soon(resolve));
}

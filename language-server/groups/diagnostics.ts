/**
 * Owns when diagnostics are made: pushed after changes, or given when the client asks (then never pushed, so that none
 * is shown twice). What they say is the business of features/diagnostics.ts.
 */
import { pathToFileURL } from 'node:url';
import {
  type Diagnostic,
  type DocumentDiagnosticReport,
  DocumentDiagnosticReportKind,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { costOf, isIgnoreFile, problemsOf } from '../documents.ts';
import { LARGE } from '../facts.ts';
import { isConfiguration, problemsInText } from '../features/configuration/configuration.ts';
import { diagnosticsOf, findPages } from '../features/diagnostics.ts';
import type { Group, Session } from '../session.ts';

/** The longest that diagnostics wait for the next keystroke, in milliseconds. */
const LONGEST_WAIT = 300;

/** Milliseconds from which on a document is not judged at every keystroke. */
const DEAR = 50;

/** The longest that judging holds a request up, in milliseconds. */
const SLICE = 1;

export const diagnostics: Group = {
  capabilities: ({ textDocument }) =>
    textDocument?.diagnostic === undefined
      ? {}
      : { diagnosticProvider: { interFileDependencies: false, workspaceDiagnostics: false } },
  register: (session) => {
    new Publisher(session).listen();
    registerPull(session);
  },
};

/** The rules' pages, found once from where the program lies. */
const PAGES = findPages(pathToFileURL(process.argv[1] ?? ''));

/** Ignore files, configurations and very large files have the parser's problems only. */
function isJudged(document: TextDocument): boolean {
  if (isIgnoreFile(document) || isConfiguration(document.uri)) return false;
  return document.getText().length <= LARGE;
}

/** In the next turn of the loop, behind the message that is read in it: what has come in by then is answered first. */
function soon(work: () => void): void {
  queueMicrotask(() => setImmediate(work));
}

/** All diagnostics of a document, in the client's positions. */
function diagnose(session: Session, document: TextDocument): Diagnostic[] {
  if (isConfiguration(document.uri))
    return session.encode(document, problemsInText(document.getText()));
  if (!isJudged(document)) return session.encode(document, diagnosticsOf(problemsOf(document)));
  const problems = session.problemsOf(document);
  return session.encode(document, diagnosticsOf(problems, PAGES));
}

/** Publishes once the pending messages are read, and for a costly document once the typing pauses. */
class Publisher {
  private readonly session: Session;
  private readonly waiting = new Map<string, NodeJS.Timeout>();

  constructor(session: Session) {
    this.session = session;
  }

  listen(): void {
    const { documents, connection } = this.session;
    documents.onDidChangeContent(({ document }) => this.schedule(document));
    documents.onDidClose(({ document }) => {
      const { uri } = document;
      clearTimeout(this.waiting.get(uri));
      this.waiting.delete(uri);
      this.session.forget(document);
      if (!this.isPulled()) void connection.sendDiagnostics({ uri, diagnostics: [] });
    });
    this.session.onChange(() => {
      for (const document of documents.all()) this.schedule(document);
    });
    this.session.onFound((uri) => {
      const document = documents.get(uri);
      if (document !== undefined) this.schedule(document);
    });
  }

  private isPulled(): boolean {
    return this.session.client.capabilities.textDocument?.diagnostic !== undefined;
  }

  private schedule(document: TextDocument): void {
    if (this.isPulled()) return;
    const { uri } = document;
    clearTimeout(this.waiting.get(uri));
    this.waiting.delete(uri);
    const cost = costOf(document) + this.session.linter.costOf(document);
    const { version } = document;
    const pause = Math.min(LONGEST_WAIT, cost / 2);
    const begin = (): void => this.judge(uri, version);
    if (cost > DEAR) this.waiting.set(uri, setTimeout(begin, pause));
    else soon(begin);
  }

  /** Judges in slices, so that requests go between; a newer version begins anew. */
  private judge(uri: string, version: number): void {
    const document = this.session.documents.get(uri);
    if (document?.version !== version) return;
    const { linter, client } = this.session;
    const isMore = isJudged(document) && linter.work(document, client.settings, SLICE) === 'more';
    if (isMore) soon(() => this.judge(uri, version));
    else this.publish(uri);
  }

  private publish(uri: string): void {
    this.waiting.delete(uri);
    const document = this.session.documents.get(uri);
    if (document === undefined) return;
    const { version } = document;
    const found = diagnose(this.session, document);
    void this.session.connection.sendDiagnostics({ uri, version, diagnostics: found });
  }
}

function registerPull(session: Session): void {
  const { connection } = session;
  let generation = 0;
  const renew = (): void => {
    generation += 1;
    const refreshes = session.client.capabilities.workspace?.diagnostics?.refreshSupport === true;
    if (refreshes) void connection.languages.diagnostics.refresh();
  };
  session.onChange(renew);
  session.onFound(renew);
  connection.languages.diagnostics.on(
    ({ textDocument, previousResultId }): DocumentDiagnosticReport => {
      const document = session.documents.get(textDocument.uri);
      if (document === undefined) return { kind: DocumentDiagnosticReportKind.Full, items: [] };
      const resultId = `${String(document.version)}.${String(generation)}`;
      if (resultId === previousResultId)
        return { kind: DocumentDiagnosticReportKind.Unchanged, resultId };
      const items = diagnose(session, document);
      return { kind: DocumentDiagnosticReportKind.Full, resultId, items };
    },
  );
}

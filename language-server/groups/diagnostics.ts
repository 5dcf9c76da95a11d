/**
 * Owns when diagnostics are made: pushed after changes, or given when the client asks (then never pushed, so that none
 * is shown twice). What they say is the business of diagnose.ts.
 */
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { costOf } from '../documents.ts';
import type { Group, Session } from '../session.ts';
import { diagnose, isJudged, SLICE, soon } from './diagnose.ts';
import { PROVIDER, registerPulls } from './pulls.ts';

/** The longest that diagnostics wait for the next keystroke, in milliseconds. */
const LONGEST_WAIT = 300;

/** Milliseconds from which on a document is not judged at every keystroke. */
const DEAR = 50;

export const diagnostics: Group = {
  capabilities: ({ textDocument }, { workspaceDiagnostics }) =>
    textDocument?.diagnostic === undefined
      ? {}
      : { diagnosticProvider: { ...PROVIDER, workspaceDiagnostics } },
  register: (session) => {
    new Publisher(session).listen();
    registerPulls(session);
  },
};

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
    const begin = (): void => this.attempt(uri, version);
    if (cost > DEAR) this.waiting.set(uri, setTimeout(begin, pause));
    else soon(begin);
  }

  /** Nobody has asked, so a mistake of ours is told in the log: it must not end the server. */
  private attempt(uri: string, version: number): void {
    try {
      this.judge(uri, version);
    } catch (error) {
      this.session.connection.console.error(`${uri} cannot be judged: ${String(error)}`);
    }
  }

  /** Judges in slices, so that requests go between; a newer version begins anew. */
  private judge(uri: string, version: number): void {
    const document = this.session.documents.get(uri);
    if (document?.version !== version) return;
    const { linter, client } = this.session;
    const isMore = isJudged(document) && linter.work(document, client.settings, SLICE) === 'more';
    if (isMore) soon(() => this.attempt(uri, version));
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

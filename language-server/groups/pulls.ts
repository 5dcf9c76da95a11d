/**
 * Owns diagnostics that the client asks for: their names, and how it learns that it may ask. Nothing here is pushed.
 */
import {
  type DiagnosticRegistrationOptions,
  type DocumentDiagnosticReport,
  DocumentDiagnosticReportKind,
  DocumentDiagnosticRequest,
  RegistrationRequest,
  UnregistrationRequest,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { slots } from '../../src/lib/turns.ts';
import type { Session } from '../session.ts';
import { diagnose } from './diagnose.ts';
import { WorkspacePulls } from './workspace-pulls.ts';

/** What the server says of its diagnostics; by the id it is taken back when the setting changes. */
export const PROVIDER = {
  id: 'pinnace.diagnostics',
  documentSelector: null,
  interFileDependencies: false,
} satisfies Partial<DiagnosticRegistrationOptions>;

/** Changes that come together are one reason to ask again; milliseconds. */
const PAUSE = 20;

const { Full, Unchanged } = DocumentDiagnosticReportKind;

/** To be called once. */
export function registerPulls(session: Session): void {
  const results = new ResultIds(session);
  const workspace = new WorkspacePulls(session, (document, had) =>
    reportOf(session, document, { resultId: results.of(document), had }),
  );
  const { diagnostics } = session.connection.languages;
  diagnostics.on(({ textDocument, previousResultId: had }) => {
    const document = session.documents.get(textDocument.uri);
    if (document === undefined) return workspace.ofClosed(textDocument.uri);
    return reportOf(session, document, { resultId: results.of(document), had });
  });
  diagnostics.onWorkspace(({ previousResultIds }, token, _work, progress) =>
    workspace.answer(previousResultIds, token, progress),
  );
  announceChanges(session);
}

/** `had`: what the client has. */
function reportOf(
  session: Session,
  document: TextDocument,
  { resultId, had }: { readonly resultId: string; readonly had: string | undefined },
): DocumentDiagnosticReport {
  if (resultId === had) return { kind: Unchanged, resultId };
  return { kind: Full, resultId, items: diagnose(session, document) };
}

/** Names what is shown of open documents: another name when a version, or what it is judged by, has changed. */
class ResultIds {
  private readonly session: Session;
  /** A document that is opened again may have a version that it had before. */
  private readonly openings = new WeakMap<TextDocument, number>();
  private opened = 0;
  private generation = 0;
  private refreshing: NodeJS.Timeout | undefined;

  constructor(session: Session) {
    this.session = session;
    const renew = (): void => this.renew();
    session.onChange(renew);
    session.onFound(renew);
  }

  of(document: TextDocument): string {
    const opening = this.openings.get(document) ?? ++this.opened;
    this.openings.set(document, opening);
    return [opening, document.version, this.generation].join('.');
  }

  private renew(): void {
    this.generation += 1;
    this.refreshing ??= setTimeout(() => this.refresh(), PAUSE);
    this.refreshing.unref();
  }

  private refresh(): void {
    this.refreshing = undefined;
    const { connection, client } = this.session;
    if (client.capabilities.workspace?.diagnostics?.refreshSupport !== true) return;
    connection.languages.diagnostics.refresh().catch((error: unknown) => {
      connection.console.warn(`the client refused to ask for diagnostics again: ${String(error)}`);
    });
  }
}

/** Tells a client that can be told when the setting allows what it did not, or no longer. */
function announceChanges(session: Session): void {
  let announced: boolean | undefined;
  const inTurn = slots(1);
  const tell = async (): Promise<void> => {
    const { connection, client } = session;
    announced ??= client.initial.workspaceDiagnostics;
    const { workspaceDiagnostics } = client.settings;
    if (announced === workspaceDiagnostics) return;
    announced = workspaceDiagnostics;
    const { id, ...options } = PROVIDER;
    const { method } = DocumentDiagnosticRequest;
    const registerOptions = { ...options, workspaceDiagnostics };
    try {
      const unregisterations = [{ id, method }];
      await connection.sendRequest(UnregistrationRequest.type, { unregisterations });
      const registrations = [{ id, method, registerOptions }];
      await connection.sendRequest(RegistrationRequest.type, { registrations });
    } catch (error) {
      connection.console.warn(`the client did not take a registration: ${String(error)}`);
    }
  };
  session.onChange(() => {
    if (session.client.capabilities.textDocument?.diagnostic?.dynamicRegistration === true)
      void inTurn(tell);
  });
}

/** The messages about the whole workspace: symbols of open documents and of the files on disk. */
import {
  type CancellationToken,
  type SymbolInformation,
  type WorkDoneProgressReporter,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { treeOf } from '../documents.ts';
import { workspaceSymbolsOf } from '../features/navigation/workspace-symbols.ts';
import { pathOf } from '../knowledge/paths.ts';
import { findDockerfiles, type FoundFile } from '../knowledge/workspace.ts';
import { inParts } from '../partial.ts';
import type { Group, Session } from '../session.ts';

/** More symbols help nobody. */
const LIMIT = 5000;

export const workspace: Group = {
  capabilities: () => ({ workspaceSymbolProvider: true }),
  register: (session) => {
    const files = new WorkspaceFiles(session);
    session.connection.onWorkspaceSymbol(async ({ query }, token, work, progress) => {
      const found = openSymbols(session, query);
      // By path: clients write addresses in other ways than we do.
      const open = new Set(session.documents.all().map(({ uri }) => pathOf(uri)));
      for (const { uri, file } of await files.all(token, work)) {
        if (found.length >= LIMIT) break;
        if (open.has(pathOf(uri))) continue;
        const document = TextDocument.create(uri, 'dockerfile', 0, file.text);
        found.push(...session.encode(document, workspaceSymbolsOf(file, uri, query)));
      }
      return inParts(found.slice(0, LIMIT), progress);
    });
  },
};

function openSymbols(session: Session, query: string): SymbolInformation[] {
  return session.documents.all().flatMap((document) => {
    const isDockerfile = session.dockerfile(document.uri) !== undefined;
    if (!isDockerfile) return [];
    return session.encode(document, workspaceSymbolsOf(treeOf(document), document.uri, query));
  });
}

/** The files on disk; read once, and again after something changed. */
class WorkspaceFiles {
  private readonly session: Session;
  private known: readonly FoundFile[] | undefined;

  constructor(session: Session) {
    this.session = session;
    session.onChange(() => (this.known = undefined));
  }

  async all(
    token: CancellationToken,
    work: WorkDoneProgressReporter,
  ): Promise<readonly FoundFile[]> {
    if (this.known !== undefined) return this.known;
    const folders = this.session.client.folders.map(({ uri }) => uri);
    const found: FoundFile[] = [];
    work.begin('Reading Dockerfiles', undefined, undefined, true);
    for await (const file of findDockerfiles(folders, () => token.isCancellationRequested)) {
      found.push(file);
      if (found.length % 50 === 0) work.report(`${String(found.length)} files`);
    }
    work.done();
    if (!token.isCancellationRequested) this.known = found;
    return found;
  }
}

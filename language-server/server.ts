/**
 * The language server's composition root: messages of the protocol to features, over stdio (`--stdio`) or the editor's
 * IPC (`--node-ipc`). It reads only what the editor sends: no files, no network, no engine.
 */
import {
  createConnection,
  ProposedFeatures,
  TextDocuments,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { costOf, isIgnoreFile, problemsOf, treeOf } from './documents.ts';
import { completionsAt } from './features/completion.ts';
import { diagnosticsOf } from './features/diagnostics.ts';
import { foldingOf } from './features/folding.ts';
import { symbolsOf } from './features/symbols.ts';

const connection = createConnection(ProposedFeatures.all);
const documents = new TextDocuments(TextDocument);

/** The longest that diagnostics wait for the next keystroke, in milliseconds. */
const LONGEST_WAIT = 300;

connection.onInitialize(() => ({
  serverInfo: { name: 'pinnace' },
  capabilities: {
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
    documentSymbolProvider: true,
    foldingRangeProvider: true,
    completionProvider: { triggerCharacters: ['-'] },
  },
}));

/** Answers for a Dockerfile; an empty list for documents that are closed or are no Dockerfile. */
function answer<T>(uri: string, feature: (document: TextDocument) => T[]): T[] {
  const document = documents.get(uri);
  return document === undefined || isIgnoreFile(document) ? [] : feature(document);
}

connection.onDocumentSymbol(({ textDocument }) =>
  answer(textDocument.uri, (document) => symbolsOf(treeOf(document))),
);

connection.onFoldingRanges(({ textDocument }) =>
  answer(textDocument.uri, (document) => foldingOf(treeOf(document))),
);

connection.onCompletion(({ textDocument, position }) =>
  answer(textDocument.uri, (document) => completionsAt(treeOf(document), position)),
);

const waiting = new Map<string, NodeJS.Timeout>();

/** Publishes once the pending messages are read, and for a costly document once the typing pauses. */
documents.onDidChangeContent(({ document }) => {
  const { uri } = document;
  clearTimeout(waiting.get(uri));
  const pause = Math.min(LONGEST_WAIT, costOf(document));
  waiting.set(
    uri,
    setTimeout(() => publish(uri), pause),
  );
});

documents.onDidClose(({ document: { uri } }) => {
  clearTimeout(waiting.get(uri));
  waiting.delete(uri);
  void connection.sendDiagnostics({ uri, diagnostics: [] });
});

function publish(uri: string): void {
  waiting.delete(uri);
  const document = documents.get(uri);
  if (document === undefined) return;
  const diagnostics = diagnosticsOf(problemsOf(document));
  void connection.sendDiagnostics({ uri, version: document.version, diagnostics });
}

documents.listen(connection);
connection.listen();

/** The messages that find the way within a file: names, rename, outline, folding, selection, calls of stages, links. */
import {
  type Definition,
  type DefinitionLink,
  type DocumentSymbol,
  LSPErrorCodes,
  ResponseError,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';
import { callsFrom, callsTo, prepareCalls } from '../features/navigation/calls.ts';
import { foldingOf } from '../features/navigation/folding.ts';
import { linksOf } from '../features/navigation/links.ts';
import {
  definitionOf,
  highlightsOf,
  linkedRangesOf,
  referencesOf,
} from '../features/navigation/occurrences.ts';
import { prepareRename, renameAt } from '../features/navigation/rename.ts';
import { selectionAt } from '../features/navigation/selection.ts';
import { OutlineMemory, outlineOf } from '../features/navigation/outline.ts';
import { flatSymbolsOf, symbolsOf } from '../features/navigation/symbols.ts';
import { versionFor, workspaceEditOf } from '../features/workspace-edits.ts';
import { contextOf } from '../knowledge/context.ts';
import { WrittenAnswer } from '../output.ts';
import { inParts } from '../partial.ts';
import type { Group, Place, Session } from '../session.ts';

/** What the names of heredocs are made of. */
const HEREDOC_NAME = '[A-Za-z_][A-Za-z0-9_.-]*';

/** `takesWritten`: the connection sends `WrittenAnswer` as it is. */
export function navigation({ takesWritten }: { readonly takesWritten: boolean }): Group {
  return {
    capabilities: () => ({
      definitionProvider: true,
      referencesProvider: true,
      documentHighlightProvider: true,
      documentSymbolProvider: true,
      foldingRangeProvider: true,
      selectionRangeProvider: true,
      renameProvider: { prepareProvider: true },
      callHierarchyProvider: true,
      documentLinkProvider: {},
      linkedEditingRangeProvider: true,
    }),
    register: (session) => {
      registerNames(session);
      registerRename(session);
      registerShape(session);
      registerOutline(session, { takesWritten });
      registerCalls(session);
      registerLinks(session);
    },
  };
}

const addressed = ({
  file,
  document,
  offset,
}: Place): { file: Place['file']; uri: string; offset: number } => ({
  file,
  uri: document.uri,
  offset,
});

function registerNames(session: Session): void {
  const { connection } = session;
  connection.onDefinition(({ textDocument: { uri }, position }) => {
    const links = session.answerAt<DefinitionLink[]>({ uri, position }, [], (place) =>
      definitionOf(addressed(place)),
    );
    const takesLinks = session.client.capabilities.textDocument?.definition?.linkSupport === true;
    return takesLinks ? links : links.map(locationOf);
  });
  connection.onReferences(
    ({ textDocument: { uri }, position, context }, _token, _work, progress) => {
      const { includeDeclaration } = context;
      const found = session.answerAt({ uri, position }, [], (place) =>
        referencesOf(addressed(place), { includeDeclaration }),
      );
      return inParts(found, progress);
    },
  );
  connection.onDocumentHighlight(({ textDocument: { uri }, position }) =>
    session.answerAt({ uri, position }, [], ({ file, offset }) => highlightsOf(file, offset)),
  );
  connection.languages.onLinkedEditingRange(({ textDocument: { uri }, position }) =>
    session.answerAt({ uri, position }, null, ({ file, offset }) => {
      const ranges = linkedRangesOf(file, offset);
      return ranges === undefined ? null : { ranges, wordPattern: HEREDOC_NAME };
    }),
  );
}

function locationOf({
  targetUri,
  targetSelectionRange,
}: DefinitionLink): Extract<Definition, { uri: string }> {
  return { uri: targetUri, range: targetSelectionRange };
}

function registerRename(session: Session): void {
  const { connection } = session;
  connection.onPrepareRename(({ textDocument: { uri }, position }) =>
    session.answerAt({ uri, position }, null, ({ file, offset }) => {
      const prepared = prepareRename(file, offset);
      if ('refused' in prepared) throw refusal(prepared.refused);
      return prepared;
    }),
  );
  connection.onRenameRequest(({ textDocument: { uri }, position, newName }) =>
    session.answerAt<WorkspaceEdit | null>(
      { uri, position },
      null,
      ({ file, offset, document }) => {
        const renamed = renameAt(file, offset, newName);
        if ('refused' in renamed) throw refusal(renamed.refused);
        const version = versionFor(session.client.capabilities, document.version);
        return workspaceEditOf({ uri, version }, renamed.edits);
      },
    ),
  );
}

function refusal(message: string): ResponseError {
  return new ResponseError(LSPErrorCodes.RequestFailed, message);
}

function registerShape(session: Session): void {
  const { connection } = session;
  connection.onFoldingRanges(({ textDocument: { uri } }) =>
    session.answer(uri, [], ({ file }) => foldingOf(file)),
  );
  connection.onSelectionRanges(({ textDocument: { uri }, positions }) =>
    positions.map((position) =>
      session.answerAt(
        { uri, position },
        { range: { start: position, end: position } },
        ({ file, offset }) => selectionAt(file, offset),
      ),
    ),
  );
}

function registerOutline(
  session: Session,
  { takesWritten }: { readonly takesWritten: boolean },
): void {
  const memory = new OutlineMemory();
  session.connection.onDocumentSymbol(({ textDocument: { uri } }, _token, _work, progress) => {
    const { capabilities, encoding } = session.client;
    if (capabilities.textDocument?.documentSymbol?.hierarchicalDocumentSymbolSupport !== true)
      return inParts(
        session.answer(uri, [], ({ file }) => flatSymbolsOf(file, uri)),
        progress,
      );
    if (takesWritten && progress === undefined && encoding === 'utf-16')
      return session.answer<unknown>(
        uri,
        [],
        ({ file }) => new WrittenAnswer(outlineOf(file, memory)),
      ) as DocumentSymbol[];
    return inParts(
      session.answer(uri, [], ({ file }) => symbolsOf(file)),
      progress,
    );
  });
}

function registerCalls(session: Session): void {
  const { callHierarchy } = session.connection.languages;
  callHierarchy.onPrepare(({ textDocument: { uri }, position }) =>
    session.answerAt({ uri, position }, [], (place) => prepareCalls(addressed(place))),
  );
  callHierarchy.onIncomingCalls(({ item }) =>
    session.answer(item.uri, [], ({ file }) => callsTo(file, item)),
  );
  callHierarchy.onOutgoingCalls(({ item }) =>
    session.answer(item.uri, [], ({ file }) => callsFrom(file, item)),
  );
}

function registerLinks(session: Session): void {
  session.connection.onDocumentLinks(async ({ textDocument: { uri } }) => {
    const context = contextOf(uri);
    const root = await context?.folder();
    const find = (path: string): string | undefined =>
      root === undefined ? undefined : context?.find(path, root);
    return session.answer(uri, [], ({ file }) => linksOf(file, find));
  });
}

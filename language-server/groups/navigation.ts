/** The messages that find the way in a file: outline and folding. */
import { foldingOf } from '../features/folding.ts';
import { symbolsOf } from '../features/symbols.ts';
import type { Group } from '../session.ts';

export const navigation: Group = {
  capabilities: () => ({ documentSymbolProvider: true, foldingRangeProvider: true }),
  register: (session) => {
    const { connection } = session;
    connection.onDocumentSymbol(({ textDocument: { uri } }) =>
      session.answer(uri, [], ({ file }) => symbolsOf(file)),
    );
    connection.onFoldingRanges(({ textDocument: { uri } }) =>
      session.answer(uri, [], ({ file }) => foldingOf(file)),
    );
  },
};

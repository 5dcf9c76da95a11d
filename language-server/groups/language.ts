/** The messages that help while writing: completion. */
import type { CompletionList } from 'vscode-languageserver/node';
import { completionsAt } from '../features/completion/completion.ts';
import { resolveItem } from '../features/completion/items.ts';
import type { Group, Session } from '../session.ts';

const TRIGGERS = ['-', '=', ',', '$', '{', '/', ':', ' ', '#'];

export const language: Group = {
  capabilities: () => ({
    completionProvider: { triggerCharacters: TRIGGERS, resolveProvider: true },
  }),
  register: (session) => {
    const { connection } = session;
    connection.onCompletion(({ textDocument: { uri }, position }) =>
      session.waitAt<CompletionList>(
        { uri, position },
        { isIncomplete: false, items: [] },
        ({ file, offset }) => completionsAt(file, offset, sourcesOf(session)),
      ),
    );
    connection.onCompletionResolve((item) => resolveItem(item));
  },
};

function sourcesOf({ client }: Session): Parameters<typeof completionsAt>[2] {
  const item = client.capabilities.textDocument?.completion?.completionItem;
  return { images: undefined, files: undefined, snippets: item?.snippetSupport === true };
}

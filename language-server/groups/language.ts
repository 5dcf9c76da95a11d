/** The messages that help while writing: completion, hover, signature help. */
import type { CompletionList } from 'vscode-languageserver/node';
import { completionsAt, type Sources } from '../features/completion/completion.ts';
import { resolveItem } from '../features/completion/items.ts';
import { hoverAt } from '../features/hover/hover.ts';
import { signatureAt } from '../features/signature.ts';
import type { Group, Session } from '../session.ts';

const COMPLETION_TRIGGERS = ['-', '=', ',', '$', '{', '/', ':', ' ', '#'];
const SIGNATURE_TRIGGERS = [' ', '-', '=', ',', '['];
const NO_ITEMS: CompletionList = { isIncomplete: false, items: [] };

export const language: Group = {
  capabilities: () => ({
    completionProvider: { triggerCharacters: COMPLETION_TRIGGERS, resolveProvider: true },
    hoverProvider: true,
    signatureHelpProvider: { triggerCharacters: SIGNATURE_TRIGGERS },
  }),
  register: (session) => {
    const { connection } = session;
    connection.onCompletion(({ textDocument: { uri }, position }) =>
      session.waitAt({ uri, position }, NO_ITEMS, ({ file, offset }) =>
        completionsAt(file, offset, sourcesOf(session)),
      ),
    );
    connection.onCompletionResolve((item) => resolveItem(item));
    connection.onHover(({ textDocument: { uri }, position }) =>
      session.answerAt({ uri, position }, null, ({ file, offset }) =>
        hoverAt(file, offset, { images: undefined }),
      ),
    );
    connection.onSignatureHelp(({ textDocument: { uri }, position }) =>
      session.answerAt({ uri, position }, null, ({ file, offset }) => signatureAt(file, offset)),
    );
  },
};

function sourcesOf({ client }: Session): Sources {
  const item = client.capabilities.textDocument?.completion?.completionItem;
  return { images: undefined, files: undefined, snippets: item?.snippetSupport === true };
}

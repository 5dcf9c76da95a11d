/** The messages that help while writing: completion, hover, signature help. */
import type { CompletionList } from 'vscode-languageserver/node';
import { completionsAt, type Sources } from '../features/completion/completion.ts';
import { resolveItem } from '../features/completion/items.ts';
import { hoverAt } from '../features/hover/hover.ts';
import { signatureAt } from '../features/signature.ts';
import { contextOf } from '../knowledge/context.ts';
import type { ImageKnowledge } from '../knowledge/images.ts';
import type { Group, Session } from '../session.ts';

const COMPLETION_TRIGGERS = ['-', '=', ',', '$', '{', '/', ':', ' ', '#'];
const SIGNATURE_TRIGGERS = [' ', '-', '=', ',', '['];
const NO_ITEMS: CompletionList = { isIncomplete: false, items: [] };

/** `images`: what is known of images, asked without waiting. */
export const language = (images: ImageKnowledge): Group => ({
  capabilities: () => ({
    completionProvider: { triggerCharacters: COMPLETION_TRIGGERS, resolveProvider: true },
    hoverProvider: true,
    signatureHelpProvider: { triggerCharacters: SIGNATURE_TRIGGERS },
  }),
  register: (session) => {
    const { connection } = session;
    connection.onCompletion(({ textDocument: { uri }, position }) =>
      session.waitAt({ uri, position }, NO_ITEMS, ({ file, offset }) =>
        completionsAt(file, offset, sourcesOf(session, uri, images)),
      ),
    );
    connection.onCompletionResolve((item) => resolveItem(item));
    connection.onHover(({ textDocument: { uri }, position }) =>
      session.answerAt({ uri, position }, null, ({ file, offset }) =>
        hoverAt(file, offset, { images }),
      ),
    );
    connection.onSignatureHelp(({ textDocument: { uri }, position }) =>
      session.answerAt({ uri, position }, null, ({ file, offset }) => signatureAt(file, offset)),
    );
    session.onChange(() => images.clear());
  },
});

function sourcesOf({ client }: Session, uri: string, images: ImageKnowledge): Sources {
  const item = client.capabilities.textDocument?.completion?.completionItem;
  return { images, files: contextOf(uri), snippets: item?.snippetSupport === true };
}

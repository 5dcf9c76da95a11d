/** The messages that help while writing: completion, hover, signature help. */
import type { CompletionList } from 'vscode-languageserver/node';
import { completionsAt, type Sources } from '../features/completion/completion.ts';
import type { ImageFiles } from '../features/completion/inside.ts';
import { resolveItem } from '../features/completion/items.ts';
import { configurationHover, configurationItems } from '../features/configuration/configuration.ts';
import { hoverAt } from '../features/hover/hover.ts';
import { signatureAt } from '../features/signature.ts';
import type { BuildKnowledge } from '../knowledge/builds.ts';
import { contextOf } from '../knowledge/context.ts';
import { BLINK, type ImageFileKnowledge } from '../knowledge/image-files.ts';
import type { ImageKnowledge } from '../knowledge/images.ts';
import { pathOf } from '../knowledge/paths.ts';
import type { Group, Session } from '../session.ts';

const COMPLETION_TRIGGERS = ['-', '=', ',', '$', '{', '/', ':', '@', ' ', '#'];
const SIGNATURE_TRIGGERS = [' ', '-', '=', ',', '['];
const NO_ITEMS: CompletionList = { isIncomplete: false, items: [] };

/** What is known beside the documents, asked without waiting for more than a blink. */
export interface Knowledge {
  readonly images: ImageKnowledge;
  readonly files: ImageFileKnowledge;
  readonly builds: BuildKnowledge;
}

export const language = (known: Knowledge): Group => ({
  capabilities: () => ({
    completionProvider: { triggerCharacters: COMPLETION_TRIGGERS, resolveProvider: true },
    hoverProvider: true,
    signatureHelpProvider: { triggerCharacters: SIGNATURE_TRIGGERS },
  }),
  register: (session) => {
    const { connection } = session;
    known.images.onFailed((message) => {
      connection.console.warn(`registry: ${message}`);
    });
    connection.onCompletion(({ textDocument: { uri }, position }) => {
      const items = session.inConfiguration({ uri, position }, configurationItems);
      if (items !== undefined) return items;
      return session.waitAt({ uri, position }, NO_ITEMS, ({ file, offset }) =>
        completionsAt(file, offset, sourcesOf(session, uri, known)),
      );
    });
    connection.onCompletionResolve((item) => resolveItem(item));
    connection.onHover(({ textDocument: { uri }, position }) => {
      const said = session.inConfiguration({ uri, position }, configurationHover);
      if (said !== undefined) return said;
      return session.answerAt({ uri, position }, null, ({ file, offset }) =>
        hoverAt(file, offset, { images: known.images }),
      );
    });
    connection.onSignatureHelp(({ textDocument: { uri }, position }) =>
      session.answerAt({ uri, position }, null, ({ file, offset }) => signatureAt(file, offset)),
    );
    session.onChange(() => {
      known.images.clear();
      known.files.clear();
    });
  },
});

function sourcesOf(
  { client }: Session,
  uri: string,
  { images, files, builds }: Knowledge,
): Sources {
  const item = client.capabilities.textDocument?.completion?.completionItem;
  const path = pathOf(uri);
  const inside: ImageFiles = {
    listed: () => builds.listed(BLINK),
    built: (target) => (path === undefined ? undefined : builds.imageOf(path, target)),
    list: (image, directory) => files.list(image, directory),
    accounts: (image) => files.accounts(image),
  };
  return { images, files: contextOf(uri), inside, snippets: item?.snippetSupport === true };
}

/** The messages about what can be done with a problem: code actions. */
import { CodeActionKind } from 'vscode-languageserver/node';
import { decodeRange } from '../encoding.ts';
import { LARGE } from '../facts.ts';
import { codeActionsAt, FIX_ALL } from '../features/code-actions.ts';
import { versionFor } from '../features/workspace-edits.ts';
import type { ImageKnowledge } from '../knowledge/images.ts';
import type { Group } from '../session.ts';

/** `images`: what is known of images, asked without waiting. */
export const actions = (images: ImageKnowledge): Group => ({
  capabilities: () => ({
    codeActionProvider: {
      codeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.Refactor, FIX_ALL],
    },
  }),
  register: (session) => {
    session.connection.onCodeAction(({ textDocument: { uri }, range, context }) =>
      session.answer(uri, [], ({ document, file }) =>
        codeActionsAt({
          uri,
          version: versionFor(session.client.capabilities, document.version),
          file,
          problems: file.text.length > LARGE ? [] : session.problemsOf(document),
          selection: session.offsets(document, range),
          // They go back with the answer, which is turned to the client's positions as a whole.
          diagnostics: context.diagnostics.map((one) => ({
            ...one,
            range: decodeRange(document, one.range, session.client.encoding),
          })),
          only: context.only,
          digestOf: (name) => images.digest(name).value,
        }),
      ),
    );
  },
});

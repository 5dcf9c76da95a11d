/** The messages that help while writing: completion. */
import { completionsAt } from '../features/completion.ts';
import type { Group } from '../session.ts';

export const language: Group = {
  capabilities: () => ({ completionProvider: { triggerCharacters: ['-'] } }),
  register: (session) => {
    session.connection.onCompletion(({ textDocument: { uri }, position }) =>
      session.answerAt({ uri, position }, [], ({ file, offset }) => completionsAt(file, offset)),
    );
  },
};

/** The messages about formatting: the document, a range, and after a line break. */
import type { FormattingOptions, Range, TextEdit } from 'vscode-languageserver/node';
import { formatOptions, formattingAfterBreak, formattingOf } from '../features/formatting.ts';
import type { Group, Session } from '../session.ts';

const NO_EDITS: TextEdit[] = [];

export const formatting: Group = {
  capabilities: () => ({
    documentFormattingProvider: true,
    documentRangeFormattingProvider: true,
    documentOnTypeFormattingProvider: { firstTriggerCharacter: '\n' },
  }),
  register: (session) => {
    const { connection } = session;
    connection.onDocumentFormatting(({ textDocument: { uri }, options }) =>
      session.answer(uri, NO_EDITS, ({ file }) => formattingOf(file, chosen(session, options))),
    );
    connection.onDocumentRangeFormatting(({ textDocument: { uri }, range, options }) =>
      part(session, uri, { range, options }),
    );
    connection.onDocumentOnTypeFormatting(({ textDocument: { uri }, position, options }) =>
      session.answerAt({ uri, position }, NO_EDITS, ({ file, offset }) =>
        formattingAfterBreak(file, chosen(session, options), offset),
      ),
    );
  },
};

function part(
  session: Session,
  uri: string,
  { range, options }: { readonly range: Range; readonly options: FormattingOptions },
): TextEdit[] {
  return session.answer(uri, NO_EDITS, ({ file, document }) =>
    formattingOf(file, chosen(session, options), session.offsets(document, range)),
  );
}

function chosen({ client }: Session, options: FormattingOptions): ReturnType<typeof formatOptions> {
  return formatOptions(options, client.settings.section['format']);
}

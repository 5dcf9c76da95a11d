/** The messages about semantic tokens: the whole file, what changed since the last answer, or a part. */
import { type SemanticTokens, type SemanticTokensDelta } from 'vscode-languageserver/node';
import { utf8Length } from '../encoding.ts';
import { scriptsIn } from '../facts.ts';
import { collectTokens } from '../features/tokens/collect.ts';
import { encodeTokens, IN_CODE_UNITS, tokenEdits } from '../features/tokens/encode.ts';
import { LEGEND } from '../features/tokens/legend.ts';
import type { Group, Place, Session } from '../session.ts';

const NO_TOKENS: SemanticTokens = { data: [] };

interface Answered {
  readonly resultId: string;
  readonly data: readonly number[];
}

export const tokens: Group = {
  capabilities: () => ({
    semanticTokensProvider: { legend: LEGEND, full: { delta: true }, range: true },
  }),
  register: (session) => {
    const { connection, documents } = session;
    const { semanticTokens } = connection.languages;
    const answered = new Map<string, Answered>();
    let count = 0;
    const remember = (uri: string, data: readonly number[]): string => {
      const resultId = String(++count);
      answered.set(uri, { resultId, data });
      return resultId;
    };
    documents.onDidClose(({ document: { uri } }) => void answered.delete(uri));
    semanticTokens.on(({ textDocument: { uri } }) =>
      session.answer(uri, NO_TOKENS, (place) => {
        const data = numbers(session, place);
        return { resultId: remember(uri, data), data };
      }),
    );
    semanticTokens.onDelta(({ textDocument: { uri }, previousResultId }) =>
      session.answer<SemanticTokens | SemanticTokensDelta>(uri, NO_TOKENS, (place) => {
        const before = answered.get(uri);
        const data = numbers(session, place);
        const resultId = remember(uri, data);
        return before?.resultId === previousResultId
          ? { resultId, edits: tokenEdits(before.data, data) }
          : { resultId, data };
      }),
    );
    semanticTokens.onRange(({ textDocument: { uri }, range }) =>
      session.answer(uri, NO_TOKENS, (place) => {
        const part = session.offsets(place.document, range);
        return { data: numbers(session, place, part) };
      }),
    );
  },
};

function numbers(
  { client }: Session,
  { file }: Place,
  part?: { readonly start: number; readonly end: number },
): number[] {
  const measure = client.encoding === 'utf-8' ? utf8Length : IN_CODE_UNITS;
  return encodeTokens(file, collectTokens(file, scriptsIn(file), part), measure);
}

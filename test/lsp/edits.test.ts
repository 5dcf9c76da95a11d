/** Random edits over the wire: after any of them the server answers as if the client's text had just been opened. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LanguageServer } from '../support/language-server.ts';

const PIECES: readonly string[] = [
  'RUN echo "$A" \\\n  && make\n',
  'FROM a AS b\n',
  '\\\n',
  '\r\n',
  '\n',
  '# comment 😀\n',
  'RUN <<EOF\nif true; then\n  x\nfi\nEOF\n',
  'EOF\n',
  'COPY --from=b ["é", "/x"]\n',
  'ENV A=1 B="two words" \\\n C=3\n',
  'ONBUILD RUN $(x ${A:-y})\n',
  '"',
  "'",
  '`',
  '<<E',
  '😀',
  ' ',
  '\t',
  '{',
  '# escape=`\n',
  'HEALTHCHECK --interval=5s CMD ["x"]\n',
  '\ufeff',
  '\u0000',
  '\ud800',
];

/** Numbers below `limit`, always the same for a seed (mulberry32). */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit);
  };
}

const METHODS: readonly string[] = [
  'textDocument/semanticTokens/full',
  'textDocument/documentSymbol',
  'textDocument/foldingRange',
  'textDocument/documentLink',
  'textDocument/diagnostic',
];

/** All answers that depend on every part of the text, without what names the document or the answer. */
async function answersOf(server: LanguageServer, uri: string): Promise<unknown> {
  const answers = METHODS.map((method) =>
    server.connection.sendRequest<Record<string, unknown>>(method, { textDocument: { uri } }),
  );
  const found = (await Promise.all(answers)).map((answer) =>
    Array.isArray(answer) ? answer : { ...answer, resultId: '' },
  );
  return JSON.parse(JSON.stringify(found).replaceAll(uri, ''));
}

const ROUNDS = 40;
const EDITS = 12;

for (const [encoding, seed] of [
  ['utf-16', 7],
  ['utf-8', 8],
] as const) {
  describe(`edits in ${encoding}`, () => {
    test('lead to the text that the client has', async () => {
      const capabilities = {
        general: { positionEncodings: [encoding] },
        textDocument: { diagnostic: {} },
      };
      const server = await LanguageServer.start({ capabilities });
      const random = numbers(seed);
      const piece = (): string => {
        const found = PIECES[random(PIECES.length)] ?? '';
        // A half of a pair cannot go through UTF-8.
        return encoding === 'utf-8' && found === '\ud800' ? 'x' : found;
      };
      const uri = 'file:///edits/Dockerfile';
      const start = Array.from({ length: 30 }, piece).join('');
      const client = TextDocument.create(uri, 'dockerfile', 1, start);
      await server.open(uri, start);
      for (let round = 0, version = 1; round < ROUNDS; round++) {
        const log: unknown[] = [];
        for (let edit = 0; edit < EDITS; edit++) {
          const changes = Array.from({ length: 1 + random(3) }, () => {
            const from = wholeAt(client.getText(), random(client.getText().length + 1));
            const to = wholeAt(client.getText(), from + random(12));
            const range = { start: client.positionAt(from), end: client.positionAt(to) };
            const text = random(3) === 0 ? '' : piece();
            const change = { range: inEncoding(client, range, encoding), text };
            TextDocument.update(client, [{ range, text }], ++version);
            return change;
          });
          log.push(changes);
          await server.change(uri, version, changes);
        }
        const fresh = `file:///edits/${String(round)}/Dockerfile`;
        await server.open(fresh, client.getText());
        const [edited, opened] = await Promise.all([
          answersOf(server, uri),
          answersOf(server, fresh),
        ]);
        const told = `seed ${String(seed)}, round ${String(round)}: ${JSON.stringify(log)}`;
        assert.deepEqual(edited, opened, told);
        await server.close(fresh);
      }
      await server.stop();
    });
  });
}

/** The offset, moved out of the middle of a pair of surrogates and of a line's end. */
function wholeAt(text: string, offset: number): number {
  const at = Math.min(offset, text.length);
  const isLow = /^[\udc00-\udfff]/.test(text.slice(at, at + 1));
  const isHigh = /[\ud800-\udbff]$/.test(text.slice(0, at));
  const inBreak = text[at - 1] === '\r' && text[at] === '\n';
  return (isLow && isHigh) || inBreak ? at + 1 : at;
}

type Place = ReturnType<TextDocument['positionAt']>;

function inEncoding(
  document: TextDocument,
  { start, end }: { start: Place; end: Place },
  encoding: 'utf-8' | 'utf-16',
): { start: Place; end: Place } {
  if (encoding === 'utf-16') return { start, end };
  const inBytes = ({ line, character }: Place): Place => {
    const before = document.getText({
      start: { line, character: 0 },
      end: { line, character },
    });
    return { line, character: Buffer.byteLength(before) };
  };
  return { start: inBytes(start), end: inBytes(end) };
}

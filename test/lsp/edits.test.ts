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

interface Tokens {
  readonly resultId?: string;
  readonly data?: readonly number[];
  readonly edits?: readonly {
    readonly start: number;
    readonly deleteCount: number;
    readonly data?: readonly number[];
  }[];
}

/** A client's tokens of a document, which it keeps by what the server says has changed. */
class TokenClient {
  data: readonly number[] = [];
  /** How many answers told what had changed, rather than everything. */
  deltas = 0;
  private resultId = 'none';
  private readonly server: LanguageServer;
  private readonly uri: string;

  constructor(server: LanguageServer, uri: string) {
    this.server = server;
    this.uri = uri;
  }

  async update(): Promise<void> {
    const textDocument = { uri: this.uri };
    const { resultId, data, edits } = await this.server.connection.sendRequest<Tokens>(
      'textDocument/semanticTokens/full/delta',
      { textDocument, previousResultId: this.resultId },
    );
    assert.ok(resultId !== undefined && resultId !== this.resultId);
    this.resultId = resultId;
    if (edits === undefined) {
      this.data = data ?? [];
      return;
    }
    this.deltas += 1;
    // Each counts in what there was, so that the last one comes first.
    for (const edit of edits.toSorted((a, b) => b.start - a.start))
      this.data = this.data.toSpliced(edit.start, edit.deleteCount, ...(edit.data ?? []));
  }

  /** Those that the server gives for a part are those of the whole that lie in it, and maybe some around it. */
  async checkPart(range: { start: Place; end: Place }, told: string): Promise<void> {
    const { data = [] } = await this.server.connection.sendRequest<Tokens>(
      'textDocument/semanticTokens/range',
      { textDocument: { uri: this.uri }, range },
    );
    const part = placed(data);
    const whole = placed(this.data);
    for (const token of part.keys())
      assert.ok(whole.has(token), `${told}: ${token} is not in the whole`);
    for (const [token, { line, from, to }] of whole) {
      const isBefore =
        line < range.start.line || (line === range.start.line && to <= range.start.character);
      const isBehind =
        line > range.end.line || (line === range.end.line && from >= range.end.character);
      if (!isBefore && !isBehind) assert.ok(part.has(token), `${told}: ${token} is missing`);
    }
  }
}

/** Tokens by all that they say, with their absolute places. */
function placed(data: readonly number[]): Map<string, { line: number; from: number; to: number }> {
  const found = new Map<string, { line: number; from: number; to: number }>();
  let line = 0;
  let from = 0;
  for (let at = 0; at < data.length; at += 5) {
    const [down = 0, across = 0, length = 0, type = 0, modifiers = 0] = data.slice(at, at + 5);
    line += down;
    from = down === 0 ? from + across : across;
    found.set([line, from, length, type, modifiers].join(' '), { line, from, to: from + length });
  }
  return found;
}

/** Asked again of the same version nothing has changed; of a new one everything is told. */
async function checkPull(server: LanguageServer, uri: string, before: string): Promise<string> {
  const pull = (previousResultId: string): Promise<{ kind: string; resultId?: string }> =>
    server.connection.sendRequest('textDocument/diagnostic', {
      textDocument: { uri },
      previousResultId,
    });
  const { kind, resultId } = await pull(before);
  assert.ok(kind === 'full' && resultId !== undefined);
  assert.deepEqual(await pull(resultId), { kind: 'unchanged', resultId });
  return resultId;
}

const ROUNDS = 40;
const EDITS = 12;

for (const [encoding, seed] of [
  ['utf-16', 7],
  ['utf-8', 8],
] as const) {
  describe(`edits in ${encoding}`, () => {
    test('lead to the text that the client has', async (t) => {
      const capabilities = {
        general: { positionEncodings: [encoding] },
        textDocument: { diagnostic: {} },
      };
      const server = await LanguageServer.start({ capabilities });
      t.after(() => void server.child.kill());
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
      const tokens = new TokenClient(server, uri);
      let pulled = 'none';
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
          await tokens.update();
        }
        const first = wholeAt(client.getText(), random(client.getText().length + 1));
        const last = wholeAt(client.getText(), first + random(200));
        const part = { start: client.positionAt(first), end: client.positionAt(last) };
        await tokens.checkPart(
          inEncoding(client, part, encoding),
          JSON.stringify(client.getText()),
        );
        pulled = await checkPull(server, uri, pulled);
        const fresh = `file:///edits/${String(round)}/Dockerfile`;
        await server.open(fresh, client.getText());
        const [edited, opened] = await Promise.all([
          answersOf(server, uri),
          answersOf(server, fresh),
        ]);
        const told = `seed ${String(seed)}, round ${String(round)}: ${JSON.stringify(log)}`;
        assert.deepEqual(edited, opened, told);
        assert.deepEqual(tokens.data, (opened as readonly Tokens[])[0]?.data, told);
        await server.close(fresh);
      }
      assert.ok(tokens.deltas > (ROUNDS * EDITS) / 2);
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

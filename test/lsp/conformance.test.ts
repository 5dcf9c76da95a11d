/** What a client may ask of the language server and in what state: every method, floods, many and large documents. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  CallHierarchyIncomingCallsRequest,
  CallHierarchyPrepareRequest,
  CancellationTokenSource,
  CompletionRequest,
  CompletionResolveRequest,
  DefinitionRequest,
  DocumentDiagnosticRequest,
  DocumentFormattingRequest,
  DocumentHighlightRequest,
  DocumentLinkRequest,
  DocumentOnTypeFormattingRequest,
  DocumentRangeFormattingRequest,
  DocumentSymbolRequest,
  FoldingRangeRequest,
  HoverRequest,
  LinkedEditingRangeRequest,
  LSPErrorCodes,
  PrepareRenameRequest,
  ProgressType,
  ReferencesRequest,
  RenameRequest,
  ResponseError,
  SelectionRangeRequest,
  SemanticTokensDeltaRequest,
  SemanticTokensRangeRequest,
  SemanticTokensRequest,
  SignatureHelpRequest,
  type SymbolInformation,
  WorkDoneProgress,
  WorkspaceSymbolRequest,
} from 'vscode-languageserver/node';
import { LanguageServer, SERVER } from '../support/language-server.ts';

const TEXT = `ARG V=22
FROM node:$V AS build
ENV A=1
RUN echo "$A" <<EOF
x
EOF
FROM scratch
COPY --from=build / /
`;
const uri = 'file:///conformance/Dockerfile';
const textDocument = { uri };
let server: LanguageServer;
const folder = mkdtempSync(join(tmpdir(), 'pinnace-lsp-'));
const at = (line: number, character: number): { line: number; character: number } => ({
  line,
  character,
});

before(async () => {
  server = await LanguageServer.start({ folders: [pathToFileURL(folder).href] });
  await server.open(uri, TEXT);
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('names are found, highlighted, linked and renamed', async () => {
  const { connection } = server;
  const stage = { textDocument, position: at(1, 17) };
  const definition = await connection.sendRequest(DefinitionRequest.type, {
    textDocument,
    position: at(7, 13),
  });
  assert.deepEqual(definition, [{ uri, range: { start: at(1, 16), end: at(1, 21) } }]);
  const references = await connection.sendRequest(ReferencesRequest.type, {
    ...stage,
    context: { includeDeclaration: true },
  });
  assert.equal(references?.length, 2);
  const highlights = await connection.sendRequest(DocumentHighlightRequest.type, {
    textDocument,
    position: at(2, 4),
  });
  assert.equal(highlights?.length, 2);
  const linked = await connection.sendRequest(LinkedEditingRangeRequest.type, {
    textDocument,
    position: at(5, 1),
  });
  assert.equal(linked?.ranges.length, 2);
  const prepared = await connection.sendRequest(PrepareRenameRequest.type, stage);
  const range = { start: at(1, 16), end: at(1, 21) };
  assert.deepEqual(prepared, { range, placeholder: 'build' });
  const renamed = await connection.sendRequest(RenameRequest.type, { ...stage, newName: 'b' });
  assert.equal(renamed?.changes?.[uri]?.length, 2);
});

test('a refused rename says why', async () => {
  await assert.rejects(
    server.connection.sendRequest(RenameRequest.type, {
      textDocument,
      position: at(1, 17),
      newName: '1',
    }),
    (error: unknown) =>
      error instanceof ResponseError &&
      error.code === LSPErrorCodes.RequestFailed &&
      /no name of a stage/.test(error.message),
  );
});

test('things are explained: hover, signature help, completion items', async () => {
  const { connection } = server;
  const hover = await connection.sendRequest(HoverRequest.type, {
    textDocument,
    position: at(3, 11),
  });
  assert.match(JSON.stringify(hover), /A=1/);
  const signature = await connection.sendRequest(SignatureHelpRequest.type, {
    textDocument,
    position: at(1, 14),
  });
  assert.match(signature?.signatures[0]?.label ?? '', /^FROM /);
  const items = await server.complete(uri, at(8, 0));
  const copy = items.find(({ label }) => label === 'COPY');
  assert.ok(copy !== undefined);
  const resolved = await connection.sendRequest(CompletionResolveRequest.type, copy);
  assert.match(JSON.stringify(resolved.documentation), /dockerignore/);
});

test("the file's shape: outline, folding, selection, calls, links, symbols of the workspace", async () => {
  const { connection } = server;
  const symbols = await connection.sendRequest(DocumentSymbolRequest.type, { textDocument });
  assert.deepEqual(
    symbols?.map(({ name }) => name),
    ['ARG', 'build', 'stage 1'],
  );
  const folds = await connection.sendRequest(FoldingRangeRequest.type, { textDocument });
  assert.ok((folds?.length ?? 0) >= 2);
  const positions = [at(1, 14), at(2, 5)];
  const selections = await connection.sendRequest(SelectionRangeRequest.type, {
    textDocument,
    positions,
  });
  assert.equal(selections?.length, 2);
  const [stage] =
    (await connection.sendRequest(CallHierarchyPrepareRequest.type, {
      textDocument,
      position: at(1, 17),
    })) ?? [];
  assert.ok(stage !== undefined);
  const calls = await connection.sendRequest(CallHierarchyIncomingCallsRequest.type, {
    item: stage,
  });
  assert.equal(calls?.[0]?.from.name, 'stage 1');
  const links = await connection.sendRequest(DocumentLinkRequest.type, { textDocument });
  assert.deepEqual(
    links?.map(({ target }) => target),
    ['https://hub.docker.com/_/node'],
  );
  const found = await connection.sendRequest(WorkspaceSymbolRequest.type, { query: 'bui' });
  assert.ok(found?.some(({ name }) => name === 'build'));
});

test('formatting, also of a range and after a line break', async () => {
  const where = { uri: 'file:///f/Dockerfile' };
  await server.open(where.uri, 'from a\nrun  x \\\n\n');
  const options = { tabSize: 2, insertSpaces: true };
  const { connection } = server;
  const edits = await connection.sendRequest(DocumentFormattingRequest.type, {
    textDocument: where,
    options,
  });
  assert.ok(edits !== null && edits.length > 0);
  const part = await connection.sendRequest(DocumentRangeFormattingRequest.type, {
    textDocument: where,
    range: { start: at(0, 0), end: at(0, 1) },
    options,
  });
  assert.ok(part?.every(({ range }) => range.start.line === 0));
  const typed = await connection.sendRequest(DocumentOnTypeFormattingRequest.type, {
    textDocument: where,
    position: at(2, 0),
    ch: '\n',
    options,
  });
  const range = { start: at(2, 0), end: at(2, 0) };
  assert.deepEqual(typed, [{ range, newText: '  ' }]);
});

test('semantic tokens come whole, by range, and as edits of the last ones', async () => {
  const where = { uri: 'file:///t/Dockerfile' };
  await server.open(where.uri, 'FROM a\nRUN x\n');
  const { connection } = server;
  const full = await connection.sendRequest(SemanticTokensRequest.type, { textDocument: where });
  assert.equal(full?.data.length, 20);
  const part = await connection.sendRequest(SemanticTokensRangeRequest.type, {
    textDocument: where,
    range: { start: at(1, 0), end: at(1, 3) },
  });
  assert.equal(part?.data.length, 10);
  const range = { start: at(1, 5), end: at(1, 5) };
  await server.change(where.uri, 2, [{ range, text: 'yz' }]);
  const delta = await connection.sendRequest(SemanticTokensDeltaRequest.type, {
    textDocument: where,
    previousResultId: full.resultId ?? '',
  });
  assert.ok(delta !== null && 'edits' in delta);
  assert.deepEqual(delta.edits, [{ start: 15, deleteCount: 5, data: [0, 4, 3, 11, 0] }]);
  const stale = await connection.sendRequest(SemanticTokensDeltaRequest.type, {
    textDocument: where,
    previousResultId: 'never',
  });
  assert.ok(stale !== null && 'data' in stale);
});

const isResponseError = (error: unknown): void => assert.ok(error instanceof ResponseError);

test('malformed requests are errors, and the server goes on', async () => {
  const { connection } = server;
  await assert.rejects(connection.sendRequest('textDocument/none', {}), /Unhandled method/);
  for (const params of [{}, { textDocument: 7, position: 'x' }, { textDocument: null }]) {
    for (const method of ['hover', 'completion', 'rename', 'semanticTokens/full', 'references'])
      await connection.sendRequest(`textDocument/${method}`, params).catch(isResponseError);
  }
  for (const position of [at(-1, -1), at(1e9, 1e9), at(0.5, Number.MAX_SAFE_INTEGER)])
    await connection
      .sendRequest(HoverRequest.type, { textDocument, position })
      .catch(isResponseError);
  await server.change('file:///none', 2, []);
  await connection.sendNotification('$/unknown', { a: 1 });
  assert.match(await server.hover(uri, at(1, 1)), /stage/);
});

test('bytes that are no message do not end the server', async () => {
  const other = await LanguageServer.start();
  const { stdin } = other.child;
  assert.ok(stdin !== null);
  stdin.write('Content-Length: 5\r\n\r\n{bad}');
  stdin.write('Content-Length: 2\r\n\r\n[]');
  await other.open(uri, TEXT);
  assert.match(await other.hover(uri, at(1, 1)), /stage/);
  await other.stop();
});

test('a flood of cancelled requests is answered to the last one', async () => {
  const { connection } = server;
  const position = at(8, 0);
  const all = Array.from({ length: 2000 }, () => {
    const source = new CancellationTokenSource();
    const params = { textDocument, position };
    const answer = connection.sendRequest(CompletionRequest.type, params, source.token);
    source.cancel();
    return answer.then(
      () => 'answered',
      (error: unknown) =>
        error instanceof ResponseError && error.code === LSPErrorCodes.RequestCancelled
          ? 'cancelled'
          : String(error),
    );
  });
  const outcomes = new Set(await Promise.all(all));
  outcomes.delete('answered');
  outcomes.delete('cancelled');
  assert.deepEqual([...outcomes], []);
  assert.ok((await server.labels(uri, position)).includes('COPY'));
});

test('two hundred documents are open at once, each with its own answers', async () => {
  const many = Array.from({ length: 200 }, (_, number) => `file:///many/${String(number)}/D`);
  for (const [number, one] of many.entries())
    await server.open(one, `FROM a AS s${String(number)}\nRUNN x\n`);
  const isUnknown = ({ code }: { code?: unknown }): boolean => code === 'UnknownInstruction';
  for (const one of many) assert.ok((await server.diagnostics(one, 1)).diagnostics.some(isUnknown));
  const range = { start: at(1, 3), end: at(1, 4) };
  for (const one of many) await server.change(one, 2, [{ range, text: '' }]);
  for (const [number, one] of many.entries()) {
    const symbols = await server.connection.sendRequest(DocumentSymbolRequest.type, {
      textDocument: { uri: one },
    });
    assert.equal(symbols?.[0]?.name, `s${String(number)}`);
    assert.ok(!(await server.diagnostics(one, 2)).diagnostics.some(isUnknown));
    await server.close(one);
  }
});

test('a file of five megabytes is served without hanging', async () => {
  const big = 'file:///big/Dockerfile';
  const line = 'RUN echo "something $X" && something else\n';
  const count = 125_000;
  const started = performance.now();
  await server.open(big, `FROM a\n${line.repeat(count)}`);
  const end = at(count + 1, 0);
  assert.match(await server.hover(big, at(0, 1)), /stage/);
  const tokens = await server.connection.sendRequest(SemanticTokensRangeRequest.type, {
    textDocument: { uri: big },
    range: { start: at(100, 0), end: at(150, 0) },
  });
  assert.ok((tokens?.data.length ?? 0) >= 250);
  await server.change(big, 2, [{ range: { start: end, end }, text: 'C' }]);
  assert.ok((await server.labels(big, at(count + 1, 1))).includes('COPY'));
  await server.diagnostics(big, 2);
  const took = performance.now() - started;
  assert.ok(took < 20_000, `it took ${String(Math.round(took))} ms`);
  await server.close(big);
});

test('a client that pulls diagnostics gets them once, and none pushed', async () => {
  const pulling = await LanguageServer.start({
    capabilities: { textDocument: { diagnostic: {} } },
  });
  const { connection } = pulling;
  const isUnknown = ({ code }: { code?: unknown }): boolean => code === 'UnknownInstruction';
  await pulling.open(uri, 'FROM a\nRUNN x\n');
  const first = await connection.sendRequest(DocumentDiagnosticRequest.type, { textDocument });
  assert.ok(first.kind === 'full' && first.items.some(isUnknown));
  const previousResultId = first.resultId ?? '';
  const again = { textDocument, previousResultId };
  const second = await connection.sendRequest(DocumentDiagnosticRequest.type, again);
  assert.equal(second.kind, 'unchanged');
  await pulling.change(uri, 2, [{ text: 'FROM b:1\n' }]);
  const third = await connection.sendRequest(DocumentDiagnosticRequest.type, again);
  assert.ok(third.kind === 'full' && !third.items.some(isUnknown));
  assert.equal(pulling.wasPublished(uri), false);
  await pulling.stop();
});

test('a client of bytes sends and gets bytes', async () => {
  const bytes = await LanguageServer.start({
    capabilities: { general: { positionEncodings: ['utf-8', 'utf-16'] } },
  });
  assert.equal(bytes.initialized.capabilities.positionEncoding, 'utf-8');
  await bytes.open(uri, 'FROM a\nENV A=é\nENV B=é$C\n');
  const range = { start: at(2, 9), end: at(2, 10) };
  await bytes.change(uri, 2, [{ range, text: 'A' }]);
  const highlights = await bytes.connection.sendRequest(DocumentHighlightRequest.type, {
    textDocument,
    position: at(2, 9),
  });
  assert.deepEqual(
    highlights?.map((one) => one.range.start.character),
    [4, 9],
  );
  const tokens = await bytes.connection.sendRequest(SemanticTokensRequest.type, { textDocument });
  assert.deepEqual(tokens?.data.slice(35, 45), [0, 2, 2, 6, 0, 0, 2, 2, 5, 0]);
  await bytes.stop();
});

test('long lists come in parts, and long work is reported', async () => {
  const { connection } = server;
  for (let number = 0; number < 700; number++) {
    const path = join(folder, `p${String(number % 50)}`, String(number));
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'Dockerfile'), `FROM a AS part${String(number)}\n`);
  }
  await connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [] });
  const parts: SymbolInformation[][] = [];
  const kinds: string[] = [];
  const type = new ProgressType<SymbolInformation[]>();
  const listening = [
    connection.onProgress(type, 'parts', (part) => void parts.push(part)),
    connection.onProgress(WorkDoneProgress.type, 'work', ({ kind }) => void kinds.push(kind)),
  ];
  const rest = await connection.sendRequest(WorkspaceSymbolRequest.type, {
    query: 'part',
    partialResultToken: 'parts',
    workDoneToken: 'work',
  });
  assert.deepEqual(rest, []);
  assert.equal(parts.flat().length, 700);
  assert.ok(parts.length > 1);
  assert.deepEqual([kinds[0], kinds.at(-1)], ['begin', 'end']);
  for (const one of listening) one.dispose();
});

test('the server ends when its client is gone', async () => {
  const args = ['--disable-warning=ExperimentalWarning', SERVER, '--stdio'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.end();
  assert.equal(await ended, 1);
});

/** Drives the language server over stdio as an editor does: the bundle where it is built, the source otherwise. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  CodeActionRequest,
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  CompletionRequest,
  DocumentSymbolRequest,
  ExitNotification,
  FoldingRangeRequest,
  InitializedNotification,
  InitializeRequest,
  IPCMessageReader,
  IPCMessageWriter,
  type InitializeResult,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';

const ROOT = join(import.meta.dirname, '..', '..');
const BUNDLE = join(ROOT, 'out', 'language-server.cjs');
const PROGRAM = existsSync(BUNDLE) ? BUNDLE : join(ROOT, 'language-server', 'server.ts');

let child: ChildProcess;
let connection: ProtocolConnection;
const published: PublishDiagnosticsParams[] = [];
let arrived: (() => void) | undefined;

before(async () => {
  const flags = ['--disable-warning=ExperimentalWarning', PROGRAM, '--stdio'];
  child = spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] });
  assert.ok(child.stdout !== null && child.stdin !== null);
  connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  connection.onNotification(PublishDiagnosticsNotification.type, (params) => {
    published.push(params);
    arrived?.();
  });
  connection.listen();
  const answer = await connection.sendRequest<InitializeResult>(InitializeRequest.method, {
    processId: process.pid,
    capabilities: {},
  });
  assert.equal(answer.serverInfo?.name, 'pinnace');
  await connection.sendNotification(InitializedNotification.type, {});
});

after(async () => {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await connection.sendRequest(ShutdownRequest.type);
  await connection.sendNotification(ExitNotification.type);
  assert.equal(await ended, 0);
  connection.dispose();
});

/** The diagnostics of a document's version, waited for at most ten seconds. */
async function diagnostics(
  uri: string,
  version: number | undefined,
): Promise<PublishDiagnosticsParams> {
  const limit = AbortSignal.timeout(10_000);
  for (;;) {
    const found = published.findLast((one) => one.uri === uri && one.version === version);
    if (found !== undefined) return found;
    await new Promise<void>((resolve, reject) => {
      arrived = resolve;
      limit.onabort = () =>
        reject(new Error(`no diagnostics for ${uri} version ${String(version)}`));
    });
  }
}

async function open(
  uri: string,
  languageId: string,
  text: string,
): Promise<PublishDiagnosticsParams> {
  const textDocument = { uri, languageId, version: 1, text };
  await connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  return diagnostics(uri, 1);
}

test('problems are published when a document opens, changes and closes', async () => {
  const uri = 'file:///a/Dockerfile';
  const first = await open(uri, 'dockerfile', 'FROM a:1\nRUNN x\n');
  assert.deepEqual(
    first.diagnostics.map(({ code, range }) => [code, range.start]),
    [['UnknownInstruction', { line: 1, character: 0 }]],
  );
  await connection.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 2 },
    contentChanges: [
      { range: { start: { line: 1, character: 3 }, end: { line: 1, character: 4 } }, text: '' },
    ],
  });
  assert.deepEqual((await diagnostics(uri, 2)).diagnostics, []);
  await connection.sendNotification(DidCloseTextDocumentNotification.type, {
    textDocument: { uri },
  });
  assert.deepEqual((await diagnostics(uri, undefined)).diagnostics, []);
});

test('outline, folding and completion answer for an open document', async () => {
  const uri = 'file:///b/Containerfile';
  await open(uri, 'dockerfile', 'FROM a AS one\nRUN x \\\n  y\n\n');
  const textDocument = { uri };
  const symbols = await connection.sendRequest(DocumentSymbolRequest.type, { textDocument });
  // This client takes no tree.
  assert.deepEqual(
    symbols?.map((symbol) => [symbol.name, 'location' in symbol && symbol.location.uri]),
    [
      ['one', uri],
      ['RUN', uri],
    ],
  );
  const folds = await connection.sendRequest(FoldingRangeRequest.type, { textDocument });
  assert.equal(folds?.length, 2);
  const position = { line: 3, character: 0 };
  const items = await connection.sendRequest(CompletionRequest.type, { textDocument, position });
  assert.ok(items !== null && 'items' in items);
  assert.ok(items.items.some(({ label }) => label === 'WORKDIR'));
});

test('a problem comes with its page, and with a fix', async () => {
  const uri = 'file:///e/Dockerfile';
  const { diagnostics: found } = await open(uri, 'dockerfile', 'FROM a:1 as b\n');
  const [diagnostic] = found;
  assert.equal(diagnostic?.code, 'FromAsCasing');
  assert.match(diagnostic.codeDescription?.href ?? '', /docs\/rules\/from-as-casing\.md$/);
  const actions = await connection.sendRequest(CodeActionRequest.type, {
    textDocument: { uri },
    range: diagnostic.range,
    context: { diagnostics: found },
  });
  const [action] = actions ?? [];
  assert.ok(action !== undefined && 'edit' in action);
  assert.deepEqual(action.edit.changes?.[uri], [{ range: diagnostic.range, newText: 'AS' }]);
});

test("mistakes in a document's .hadolint.yaml are shown in that file", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-lsp-'));
  writeFileSync(join(folder, '.hadolint.yaml'), 'ignored: [DL3006]\nstrict: true\n');
  const { diagnostics: found } = await open(
    pathToFileURL(join(folder, 'Dockerfile')).href,
    'dockerfile',
    'FROM a\n',
  );
  assert.deepEqual(found, []);
  const config = pathToFileURL(join(folder, '.hadolint.yaml')).href;
  const shown = await diagnostics(config, undefined);
  rmSync(folder, { recursive: true });
  assert.deepEqual(
    shown.diagnostics.map(({ range, message }) => [range.start.line, message]),
    [[1, "strict: there is no key 'strict'"]],
  );
});

test('ignore files are checked as ignore files', async () => {
  const found = await open('file:///c/.dockerignore', 'ignore', 'a\n[x\n');
  assert.deepEqual(
    found.diagnostics.map(({ message }) => message),
    ["'[x' is no valid pattern"],
  );
});

test('a document that is not open answers with nothing', async () => {
  const textDocument = { uri: 'file:///nowhere' };
  assert.deepEqual(await connection.sendRequest(FoldingRangeRequest.type, { textDocument }), []);
});

test('a five megabyte document is answered within seconds', async () => {
  const started = performance.now();
  const uri = 'file:///d/Dockerfile';
  await open(
    uri,
    'dockerfile',
    `FROM a\n${'RUN echo something && something else\n'.repeat(140_000)}X\n`,
  );
  assert.ok(performance.now() - started < 30_000);
});

test("the server also answers over the editor's IPC", async () => {
  const server = fork(PROGRAM, ['--node-ipc'], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const ipc = createProtocolConnection(new IPCMessageReader(server), new IPCMessageWriter(server));
  ipc.listen();
  const answer = await ipc.sendRequest<InitializeResult>(InitializeRequest.method, {
    processId: process.pid,
    capabilities: {},
  });
  assert.equal(answer.capabilities.foldingRangeProvider, true);
  await ipc.sendRequest(ShutdownRequest.type);
  await ipc.sendNotification(ExitNotification.type);
  assert.equal(await ended, 0);
  ipc.dispose();
});
